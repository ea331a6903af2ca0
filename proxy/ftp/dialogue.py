"""One client's side of an FTP session: which command is legal now, and what it means.

Pure. `decide` turns a Command into an Action; the session carries it out and tells the outcome
with the verbs of the second half (`logged_in`, `moved`, ...). Nothing here waits or knows a socket.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import auto

from proxy.value import Keyed

from .action import (
    Action,
    Answer,
    Close,
    DropData,
    Forward,
    Login,
    Move,
    Name,
    Pin,
    Rename,
    Restart,
    Transfer,
)
from .command import COMMANDS, Command, Direction, Needs, Treatment
from .facts import ServerFacts, features_reply
from .protection import NO_TLS, Protection, Require, TlsTerms
from .rendezvous import Rendezvous
from .reply import Refused, Reply
from .virtual import BINARY, State, directory_reply


class Stage(Keyed):
    """How far the login has come."""

    GREETED = auto()
    NAMED = auto()  # USER was given
    CHECKED = auto()  # the server took the password and wants an account (332)
    LOGGED_IN = auto()


_ANYTIME = frozenset(
    {
        Treatment.LOCAL,
        Treatment.SECURITY,
        Treatment.REFUSED,
        Treatment.QUIT,
        Treatment.LOGIN,
        Treatment.ABORT,
    }
)

ALLOWED: Mapping[Stage, frozenset[Treatment]] = {
    Stage.GREETED: _ANYTIME,
    Stage.NAMED: _ANYTIME,
    Stage.CHECKED: _ANYTIME,
    Stage.LOGGED_IN: frozenset(Treatment),
}

# LOCAL verbs that mean something before a login too. FEAT and OPTS depend on the server: lftp tries
# both before it logs in, and only a 530 makes it try again behind the login.
BEFORE_LOGIN = frozenset({"NOOP", "HELP", "SYST", "CLNT", "REIN"})


class Dialogue:
    """The state of one client's session, and the meaning of its next command."""

    def __init__(
        self,
        client: str,
        *,
        is_ipv6: bool,
        site_harmless: frozenset[str],
        tls: TlsTerms = NO_TLS,
        requires: Callable[[bytes], Require] = lambda user: Require.NONE,
    ) -> None:
        self.stage = Stage.GREETED
        self.protection = Protection(tls)
        self.user = b""
        self.state = State()
        self.facts = ServerFacts()
        self._rendezvous = Rendezvous(client, is_ipv6=is_ipv6)
        self._site_harmless = site_harmless
        self._requires = requires  # what the class of a login name requires of TLS
        self._password = b""
        self._restart: bytes | None = None
        self._rename_from: Command | None = None

    @property
    def is_logged_in(self) -> bool:
        """Tell whether the login has been proven."""
        return self.stage is Stage.LOGGED_IN

    def decide(self, command: Command) -> Action:
        """Say what this command asks for; raise Refused when it is out of place or malformed,
        Unprotected when TLS is required first."""
        rule = command.rule
        logged_in = self.stage is Stage.LOGGED_IN
        if rule.treatment not in ALLOWED[self.stage] or (
            rule.treatment is Treatment.LOCAL and not logged_in and command.verb not in BEFORE_LOGIN
        ):
            raise Refused(Reply.of(530, "Log in with USER and PASS first."))
        rename_from = self._rename_from
        if command.verb != "NOOP":
            self._rename_from = None
        match rule.treatment:
            case Treatment.LOGIN:
                user = command.argument if command.verb == "USER" else self.user
                self.protection.check_login(self._requires(user))
                return self._login(command)
            case Treatment.SECURITY:
                return self.protection.decide(command, self._requires(self.user))
            case Treatment.LOCAL:
                return self._local(command)
            case Treatment.DATA_PORT:
                return self._rendezvous.decide(command)
            case Treatment.FORWARD:
                return self._forward(command, rule.needs)
            case Treatment.DIRECTORY:
                return Move(command)
            case Treatment.RENAME:
                return self._rename(command, rename_from)
            case Treatment.TRANSFER:
                assert rule.direction is not None  # the table gives every transfer one
                self.protection.check_transfer(self._requires(self.user))
                restart, self._restart = self._restart, None
                if rule.direction is Direction.LISTING:
                    restart = None
                return Transfer(command, rule.direction, restart)
            case Treatment.PIN:
                return self._pin(command)
            case Treatment.ABORT:
                return DropData(Reply.of(226, "Nothing left to abort."))
            case Treatment.QUIT:
                return Close(Reply.of(221, "Goodbye."))
            case Treatment.REFUSED:  # pragma: no branch (mypy proves that no kind is left)
                assert rule.refusal is not None  # the table gives every one its words
                return Answer(rule.refusal)

    # Outcomes, told by the session.

    def known_as(self, user: bytes, site_harmless: frozenset[str]) -> None:
        """A server was chosen, which knows the user by this name, and these SITE words; raise
        Unprotected when the class of that very name wants TLS first."""
        self.protection.check_login(self._requires(user))
        self.user, self._site_harmless = user, site_harmless

    def logged_in(self, home: bytes | None, facts: ServerFacts) -> None:
        """The server took the login; `home` is where it put us, None if it would not say."""
        self.stage = Stage.LOGGED_IN
        self.state.cwd = home
        self.facts = facts

    def account_wanted(self) -> None:
        """The server answered 332: ACCT is next."""
        self.stage = Stage.CHECKED

    def login_failed(self) -> None:
        """The server did not take the login."""
        self._forget()

    def tls_started(self) -> None:
        """The control connection is protected. RFC 4217 section 4: whoever logged in before did so
        in clear, so it counts no more."""
        self._forget()
        self.state = State()
        self.protection.started()

    def moved(self, cwd: bytes | None) -> None:
        """The directory has changed to what the server's 257 said; None if it would not say."""
        self.state.cwd = cwd

    def option_set(self, word: bytes, value: bytes) -> None:
        """The server took an OPTS."""
        self.state.options[word] = value

    # Meaning, kind by kind.

    def _forget(self) -> None:
        # RFC 959 section 4.1.1: a new USER leaves the transfer parameters unchanged.
        self.stage = Stage.GREETED
        self.user = self._password = b""
        self.state = State(type=self.state.type, options=self.state.options)
        self._restart = None

    def _login(self, command: Command) -> Action:
        match command.verb:
            case "USER":
                self._forget()
                self.stage, self.user = Stage.NAMED, command.argument
                # The server is asked at PASS: a name alone must not cost one of its sessions.
                return Name(Reply.of(331, "Password, please."))
            case "PASS":
                if self.stage is not Stage.NAMED:
                    raise Refused(Reply.of(503, "Send USER first."))
                self._password = command.argument
                return Login(self.user, self._password)
            case _:
                if self.stage is not Stage.CHECKED:
                    raise Refused(Reply.of(503, "No account was asked for."))
                return Login(self.user, self._password, command.argument)

    def _local(self, command: Command) -> Action:
        argument = command.argument.strip().upper()
        match command.verb:
            case "TYPE":
                return Answer(self._set_type(argument))
            case "STRU":
                return Answer(_only(argument, b"F", "Files without structure, as always."))
            case "MODE":
                return Answer(_only(argument, b"S", "Stream mode, as always."))
            case "REST":
                return Answer(self._set_restart(argument))
            case "OPTS":
                return self._options(command)
            case "FEAT":
                return Answer(features_reply(self.facts, self.protection.features))
            case "SYST":
                return Answer(self.facts.system or _UNIX)
            case "PWD" | "XPWD":
                if self.state.cwd is None:
                    return Forward(command, Needs.NOTHING)
                return Answer(directory_reply(self.state.cwd))
            case "REIN":
                self._forget()
                self.state = State()
                self.protection.forget()
                return Restart(Reply.of(220, "Ready for a new user."))
            case "HELP":
                return Answer(_HELP_WITH_TLS if self.protection.features else _HELP)
            case "ALLO":
                return Answer(Reply.of(202, "No storage need be allocated."))
            case "CLNT":
                return Answer(Reply.of(200, "Noted."))
            case _:
                return Answer(_DONE)

    def _set_type(self, argument: bytes) -> Reply:
        if argument in (b"I", b"L 8", b"L8"):
            self.state.type = BINARY
            return _TYPE_IS_IMAGE
        if argument in (b"A", b"A N"):
            self.state.type = b"A"
            return _TYPE_IS_ASCII
        raise Refused(Reply.of(504, "Only TYPE A and TYPE I are carried."))

    def _set_restart(self, argument: bytes) -> Reply:
        if not argument.isdigit() or len(argument) > 20:
            raise Refused(Reply.of(501, "REST needs a number of bytes."))
        # Held back: it must come right before the transfer, after all that is replayed (RFC 959).
        offset = int(argument)
        self._restart = b"%d" % offset if offset else None
        return Reply.of(350, f"Restarting at {offset}; send STOR or RETR.")

    def _options(self, command: Command) -> Action:
        word, _, value = command.argument.strip().partition(b" ")
        word, value = word.upper(), value.strip()
        if word == b"UTF8" and value.upper() in (b"", b"ON"):
            if not self.facts.has(b"UTF8"):
                raise Refused(Reply.of(501, "The server has not said that it knows UTF8."))
            self.option_set(word, b"ON")
            return Answer(Reply.of(200, "UTF8 is on."))
        if word == b"MLST":
            return Forward(command, Needs.OPTIONS)
        return Pin(command)

    def _forward(self, command: Command, needs: Needs) -> Action:
        if command.verb == "STAT" and not command.argument:
            return Answer(self._status())
        return Forward(command, needs)

    def _status(self) -> Reply:
        kind = "binary" if self.state.type == BINARY else "ASCII"
        user = self.user.decode("ascii", "replace")
        return Reply.of(
            211,
            "Status of this session:",
            f"Logged in as {user}, TYPE {kind}.",
            "No transfer runs.",
        )

    def _rename(self, command: Command, source: Command | None) -> Action:
        if command.verb == "RNFR":
            # Asked only together with RNTO: proftpd refuses everything else after its 350, to
            # whichever client the session is lent next.
            self._rename_from = command
            return Answer(_RENAME_FROM)
        if source is None:
            raise Refused(Reply.of(503, "Send RNFR first."))
        return Rename(source, command)

    def _pin(self, command: Command) -> Action:
        if command.verb == "SITE":
            word = command.argument.split(b" ")[0].upper()
            if word.decode("ascii", "replace") in self._site_harmless:
                return Forward(command, Needs.ALL)
        return Pin(command)


def _only(argument: bytes, allowed: bytes, text: str) -> Reply:
    if argument != allowed:
        raise Refused(Reply.of(504, f"Only {allowed.decode()} is carried."))
    return Reply.of(200, text)


_DONE = Reply.of(200, "Here.")
_RENAME_FROM = Reply.of(350, "Send RNTO with the new name.")
_UNIX = Reply.of(215, "UNIX Type: L8")
_TYPE_IS_IMAGE = Reply.of(200, "Type is I (binary).")
_TYPE_IS_ASCII = Reply.of(200, "Type is A (ASCII).")


def _help(*left_out: Treatment) -> Reply:
    verbs = sorted(verb for verb, rule in COMMANDS.items() if rule.treatment not in left_out)
    return Reply.of(
        214,
        "These commands are carried:",
        *(" ".join(verbs[i : i + 10]) for i in range(0, len(verbs), 10)),
        "More is in the documentation of ftpweir.",
    )


_HELP = _help(Treatment.REFUSED, Treatment.SECURITY)
_HELP_WITH_TLS = _help(Treatment.REFUSED)
