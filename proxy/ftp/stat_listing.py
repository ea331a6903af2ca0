"""Listings out of STAT replies: what a server's STAT shows more than its LIST is learned. Pure.

RFC 959 section 4.1.3 lets STAT with a path answer "as LIST" over the control connection, which
costs no data connection. But servers differ: vsftpd and proftpd add the hidden names that LIST
leaves out, proftpd begins each line with a blank, pyftpdlib takes no options (measured). So a
listing is only made of a STAT reply when everything seen of this server so far agrees how.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, auto

from .reply import Reply

MOST_FAILURES = 3  # replies that fitted nothing; one may be a directory that changed in between
MOST_OPTIONS = 16  # different words like -la that are remembered

# What `ls -l` prints, the name last: anything else is left to a data connection.
_ENTRY = re.compile(
    rb"[-dlbcps][-rwxsStT]{9}[.+@]? +\d+ +\S+ +\S+ +\d+ +[A-Z][a-z]{2} +\d{1,2} +[\d:]{4,5} (.+)"
)
_CODES = frozenset({211, 212, 213})


class Omits(Enum):
    """What LIST leaves out of that which STAT shows."""

    NOTHING = auto()
    SELF = auto()  # `.` and `..`
    HIDDEN = auto()  # every name that begins with a dot


@dataclass(frozen=True, slots=True)
class Listed:
    """What a LIST command asks for."""

    options: bytes  # as `-la`, empty when there are none
    path: bytes

    @property
    def stat_line(self) -> bytes:
        """The STAT command that asks for the same; it always names a path, for without one STAT
        tells of the session."""
        return b" ".join(part for part in (b"STAT", self.options, self.path or b".") if part)


def listed(argument: bytes) -> Listed | None:
    """Understand the argument of LIST; None when STAT may well read it differently."""
    options, _, path = argument.partition(b" ") if argument[:1] == b"-" else (b"", b"", argument)
    path = path.strip(b" ")
    if path[:1] == b"-" or any(byte in path for byte in b"*?[{~"):
        return None
    if path.rstrip(b"/").rpartition(b"/")[2][:1] == b"." and path not in (b".", b".."):
        return None  # a hidden file that is asked for by name is shown
    return Listed(options, path)


@dataclass(slots=True)
class _Learned:
    possible: frozenset[Omits] = frozenset(Omits)
    seen: int = 0
    failures: int = 0


@dataclass(slots=True)
class StatHabit:
    """How one server's STAT relates to its LIST, by the options of LIST."""

    _learned: dict[bytes, _Learned] = field(default_factory=dict)

    def is_hopeless(self, options: bytes) -> bool:
        """Tell whether there is no use in asking."""
        known = self._learned.get(options)
        if known is None:
            return len(self._learned) >= MOST_OPTIONS
        return known.failures >= MOST_FAILURES

    def listing(self, options: bytes, reply: Reply) -> bytes | None:
        """Return what LIST would have sent; None when that is not certain."""
        known = self._learned.get(options)
        if known is None or not known.seen:
            return None
        entries = _entries(reply)
        if not entries:
            return None  # several servers answer so for what does not exist
        possible = {_without(omits, entries) for omits in known.possible}
        return possible.pop() if len(possible) == 1 else None

    def saw(self, options: bytes, reply: Reply, content: bytes) -> None:
        """Compare a STAT reply with what LIST really sent."""
        known = self._learned.setdefault(options, _Learned())
        entries = _entries(reply)
        if not entries and not content:
            return  # an empty directory teaches nothing
        agreeing = frozenset(
            omits for omits in known.possible if entries and _without(omits, entries) == content
        )
        if agreeing:
            known.possible = agreeing
            known.seen += 1
        else:
            known.failures += 1

    def gave_trouble(self, options: bytes) -> None:
        """The reply could not be had at all: never ask again."""
        self._learned.setdefault(options, _Learned()).failures = MOST_FAILURES


def _entries(reply: Reply) -> list[tuple[bytes, bytes]] | None:
    """Return each line with the name in it; None when they are not what `ls -l` prints."""
    if reply.code not in _CODES:
        return None
    entries = []
    for line in reply.lines[1:-1]:
        line = line[1:] if line[:1] == b" " else line
        match = _ENTRY.fullmatch(line)
        if match is None or b"\xff" in line:
            return None
        entries.append((line, match[1]))
    return entries


def _without(omits: Omits, entries: list[tuple[bytes, bytes]]) -> bytes:
    match omits:
        case Omits.NOTHING:
            kept = [line for line, _ in entries]
        case Omits.SELF:
            kept = [line for line, name in entries if name not in (b".", b"..")]
        case Omits.HIDDEN:
            kept = [line for line, name in entries if name[:1] != b"."]
    return b"".join(line + b"\r\n" for line in kept)
