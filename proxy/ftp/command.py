"""FTP commands: what a line says, and what kind of treatment each verb gets.

Pure: knows the language, never a session. What a verb may do in which stage stands in dialogue.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, Flag, auto

from proxy.value import Keyed, value

from .reply import Refused, Reply

LONGEST_VERB = 16


class Treatment(Keyed):
    """What becomes of a command."""

    LOGIN = auto()  # USER, PASS, ACCT
    SECURITY = auto()  # AUTH, PBSZ, PROT: about TLS between the client and us
    LOCAL = auto()  # answered here, the server is not asked
    DATA_PORT = auto()  # PASV, EPSV, PORT, EPRT: where this client's data goes
    FORWARD = auto()  # asked of the server on any session that is in the right state
    DIRECTORY = auto()  # like FORWARD, and moves the client's working directory
    RENAME = auto()  # RNFR and RNTO: one deed in two commands
    TRANSFER = auto()  # has a data connection
    PIN = auto()  # may leave a state on the server that cannot be replayed
    ABORT = auto()
    QUIT = auto()
    REFUSED = auto()  # never carried: the table below says what to answer


class Direction(Keyed):
    """Which way a transfer's bytes flow, seen from the client."""

    DOWNLOAD = "download"
    UPLOAD = "upload"
    LISTING = "listing"

    @property
    def is_down(self) -> bool:
        """Tell whether bytes flow from the server to the client."""
        return self is not Direction.UPLOAD


class Needs(Flag):
    """What of the client's virtual state must stand on the server before a command."""

    NOTHING = 0
    CWD = auto()
    TYPE = auto()
    OPTIONS = auto()
    PATH = CWD | OPTIONS  # a path means something only in its directory and character set
    ALL = CWD | TYPE | OPTIONS


class Argument(Enum):
    """Whether a verb takes an argument."""

    NONE = auto()
    OPTIONAL = auto()
    REQUIRED = auto()


@dataclass(frozen=True, slots=True)
class Rule:
    """How one verb is treated."""

    treatment: Treatment
    argument: Argument = Argument.OPTIONAL
    needs: Needs = Needs.NOTHING
    direction: Direction | None = None
    refusal: Reply | None = None


@value
class Command:
    """One command: verb in upper case, argument in the client's own bytes (never text)."""

    verb: str
    argument: bytes = b""

    @property
    def line(self) -> bytes:
        """The command as it goes to a server, without CRLF."""
        verb = self.verb.encode("ascii")
        return verb + b" " + self.argument if self.argument else verb

    @property
    def rule(self) -> Rule:
        """How the verb is treated; a verb nobody knows may do anything, so it pins."""
        return COMMANDS.get(self.verb, UNKNOWN)


def parse_command(line: bytes) -> Command:
    """Make a Command of a line; raise Refused(500 or 501) when it is none.

    The argument keeps every byte behind the single space (RFC 959 section 5.3.1): file names may
    begin or end with blanks.
    """
    word, _, argument = line.partition(b" ")
    if not word.isalnum() or len(word) > LONGEST_VERB:
        raise Refused(Reply.of(500, "Not an FTP command."))
    verb = word.decode("ascii").upper()
    rule = COMMANDS.get(verb, UNKNOWN)
    if rule.argument is Argument.REQUIRED and not argument:
        raise Refused(Reply.of(501, f"{verb} needs an argument."))
    if rule.argument is Argument.NONE and argument.strip():
        raise Refused(Reply.of(501, f"{verb} takes no argument."))
    return Command(verb, b"" if rule.argument is Argument.NONE else argument)


def _refused(code: int, text: str) -> Rule:
    return Rule(Treatment.REFUSED, refusal=Reply.of(code, text))


def _transfer(direction: Direction, argument: Argument) -> Rule:
    return Rule(Treatment.TRANSFER, argument, Needs.ALL, direction)


UNKNOWN = Rule(Treatment.PIN, needs=Needs.ALL)

_PATH = Rule(Treatment.FORWARD, Argument.REQUIRED, Needs.PATH)
_NO_PROTECTION = _refused(533, "This protection mechanism is not carried.")
_OUTDATED = _refused(502, "Not carried; use EPSV or EPRT instead.")

COMMANDS: Mapping[str, Rule] = {
    "USER": Rule(Treatment.LOGIN, Argument.REQUIRED),
    "PASS": Rule(Treatment.LOGIN),  # an empty password is one
    "ACCT": Rule(Treatment.LOGIN, Argument.REQUIRED),
    "NOOP": Rule(Treatment.LOCAL),
    "TYPE": Rule(Treatment.LOCAL, Argument.REQUIRED),
    "STRU": Rule(Treatment.LOCAL, Argument.REQUIRED),
    "MODE": Rule(Treatment.LOCAL, Argument.REQUIRED),
    "REST": Rule(Treatment.LOCAL, Argument.REQUIRED),
    "ALLO": Rule(Treatment.LOCAL),
    "HELP": Rule(Treatment.LOCAL),
    "FEAT": Rule(Treatment.LOCAL),
    "SYST": Rule(Treatment.LOCAL),
    "PWD": Rule(Treatment.LOCAL),
    "XPWD": Rule(Treatment.LOCAL),
    "OPTS": Rule(Treatment.LOCAL, Argument.REQUIRED),
    "REIN": Rule(Treatment.LOCAL, Argument.NONE),
    "PASV": Rule(Treatment.DATA_PORT, Argument.NONE),
    "EPSV": Rule(Treatment.DATA_PORT),
    "PORT": Rule(Treatment.DATA_PORT, Argument.REQUIRED),
    "EPRT": Rule(Treatment.DATA_PORT, Argument.REQUIRED),
    "RETR": _transfer(Direction.DOWNLOAD, Argument.REQUIRED),
    "STOR": _transfer(Direction.UPLOAD, Argument.REQUIRED),
    "APPE": _transfer(Direction.UPLOAD, Argument.REQUIRED),
    "STOU": _transfer(Direction.UPLOAD, Argument.OPTIONAL),
    "LIST": _transfer(Direction.LISTING, Argument.OPTIONAL),
    "NLST": _transfer(Direction.LISTING, Argument.OPTIONAL),
    "MLSD": _transfer(Direction.LISTING, Argument.OPTIONAL),
    "CWD": Rule(Treatment.DIRECTORY, Argument.REQUIRED, Needs.PATH),
    "XCWD": Rule(Treatment.DIRECTORY, Argument.REQUIRED, Needs.PATH),
    "CDUP": Rule(Treatment.DIRECTORY, Argument.NONE, Needs.PATH),
    "XCUP": Rule(Treatment.DIRECTORY, Argument.NONE, Needs.PATH),
    "RNFR": Rule(Treatment.RENAME, Argument.REQUIRED, Needs.PATH),
    "RNTO": Rule(Treatment.RENAME, Argument.REQUIRED, Needs.PATH),
    "DELE": _PATH,
    "MKD": _PATH,
    "XMKD": _PATH,
    "RMD": _PATH,
    "XRMD": _PATH,
    "MDTM": _PATH,
    "MFMT": _PATH,
    "MFCT": _PATH,
    "MFF": _PATH,
    "AVBL": Rule(Treatment.FORWARD, Argument.OPTIONAL, Needs.PATH),
    "MLST": Rule(Treatment.FORWARD, Argument.OPTIONAL, Needs.PATH),
    # RFC 3659 section 4.3: the size is the size in the current TYPE.
    "SIZE": Rule(Treatment.FORWARD, Argument.REQUIRED, Needs.ALL),
    "STAT": Rule(Treatment.FORWARD, Argument.OPTIONAL, Needs.PATH),
    "CLNT": Rule(Treatment.LOCAL),
    "SITE": Rule(Treatment.PIN, Argument.REQUIRED, Needs.ALL),
    "ABOR": Rule(Treatment.ABORT, Argument.NONE),
    "QUIT": Rule(Treatment.QUIT),
    "AUTH": Rule(Treatment.SECURITY, Argument.REQUIRED),
    "PBSZ": Rule(Treatment.SECURITY, Argument.REQUIRED),
    "PROT": Rule(Treatment.SECURITY, Argument.REQUIRED),
    "CCC": _NO_PROTECTION,
    "ADAT": _NO_PROTECTION,
    "MIC": _NO_PROTECTION,
    "CONF": _NO_PROTECTION,
    "ENC": _NO_PROTECTION,
    "LPRT": _OUTDATED,
    "LPSV": _OUTDATED,
    "APSV": _OUTDATED,
    "SPSV": _OUTDATED,
    # Asked of the server, these would bring its own data address to the client.
    "CPSV": _OUTDATED,
    "ESTA": _OUTDATED,
    "ESTP": _OUTDATED,
    "SSCN": _refused(502, "Transfers between two servers are not carried."),
    # lftp asks it before each PASV of a server that lists it, and would be pinned for nothing.
    "PRET": _refused(502, "Not needed: the path is told with the transfer."),
    "HOST": _refused(504, "HOST chooses no server here."),
    "LANG": _refused(504, "Only the server's default language is carried."),
    "SMNT": _refused(502, "Mounting is not carried."),
}
