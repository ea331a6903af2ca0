"""Bytes to command lines and back: length cap, bare LF, NUL, Telnet. Pure.

Knows nothing of verbs. Never raises for what a client sends, and never holds more than one line.
"""

from __future__ import annotations

import re
from enum import Enum, auto

# Longest line in bytes, counted without its LF and without Telnet commands.
MAX_LINE = 8192

_IAC = b"\xff"
_WILL, _WONT, _DO, _DONT = 0xFB, 0xFC, 0xFD, 0xFE

# RFC 854: a party that wants no options refuses them all, and a refusal is never answered.
_REFUSALS = {_WILL: _DONT, _DO: _WONT}
_MOST_ANSWERS = 3 * 64  # bytes; who asks for more options between two readings is not answered

# A command of two bytes, or of three from WILL on, or the beginning of one where the data ends.
# IAC before a byte below 0xEC is no command but a Latin-1 name that nobody doubled: it stays.
_TELNET = re.compile(rb"\xff(?:[\xec-\xfa\xff]|[\xfb-\xfe](?:.|\Z)|\Z)", re.DOTALL)

# One line, of ASCII without NUL.
_WHOLE_LINE = re.compile(rb"[^\n\0\x80-\xff]*\r\n")

# What is left before an ABOR whose urgent byte went another way (RFC 959 section 4.1.3: IP, Synch).
_URGENT_REMAINS = b"\xff\xf4\xf2"


class Malformed(Enum):
    """A line that must be answered with 500, not obeyed."""

    TOO_LONG = auto()
    NUL = auto()


class LineReader:
    """Cuts what a client sends into lines; any division into feeds gives the same lines."""

    def __init__(self) -> None:
        self._pending = False
        self._partial = bytearray()
        self._overlong = False  # the line being read is past MAX_LINE: dropped up to its LF
        self._telnet = b""  # a Telnet command whose end has not come yet
        self._answers = bytearray()

    def feed(self, data: bytes) -> list[bytes | Malformed]:
        """Take bytes and return the lines they complete, without line ends."""
        # Nearly every feed is one whole ASCII command: no IAC, nothing left from before.
        if not self._pending and len(data) <= MAX_LINE + 1 and _WHOLE_LINE.fullmatch(data):
            return [data.rstrip(b"\r\n")]
        return self._feed_anything(data)

    def answers(self) -> bytes:
        """Return the Telnet answers that are due, once."""
        if not self._answers:
            return b""
        due = bytes(self._answers)
        self._answers.clear()
        return due

    @property
    def pending(self) -> bool:
        """Tell whether a line has begun and not ended."""
        return self._pending

    def _feed_anything(self, data: bytes) -> list[bytes | Malformed]:
        if self._telnet or _IAC in data:
            data, self._telnet = self._telnet + data, b""
            data = _TELNET.sub(self._obey_telnet, data)
        *ends, rest = data.split(b"\n")
        lines = [self._finish(end) for end in ends]
        self._hold(rest)
        self._pending = bool(self._partial or self._overlong or self._telnet)
        return lines

    def _finish(self, end: bytes) -> bytes | Malformed:
        self._hold(end)
        line, overlong = bytes(self._partial), self._overlong
        self._partial.clear()
        self._overlong = False
        if overlong:
            return Malformed.TOO_LONG
        # All of them: text-mode scripts send CR CR LF, and a CR that is meant travels as CR NUL.
        line = line.rstrip(b"\r")
        if b"\0" in line:
            # RFC 2640 section 3.1.
            line = line.replace(b"\r\0", b"\r")
            if b"\0" in line:
                return Malformed.NUL
        return line.lstrip(_URGENT_REMAINS)

    def _hold(self, piece: bytes) -> None:
        if self._overlong or len(self._partial) + len(piece) > MAX_LINE:
            self._overlong = True
            self._partial.clear()
        else:
            self._partial += piece

    def _obey_telnet(self, found: re.Match[bytes]) -> bytes:
        command = found[0]
        if command == b"\xff\xff":
            return _IAC
        if command == _IAC or (len(command) == 2 and command[1] >= _WILL):
            self._telnet = command
        elif command[1] in _REFUSALS and len(self._answers) < _MOST_ANSWERS:
            self._answers += bytes((_IAC[0], _REFUSALS[command[1]], command[2]))
        return b""


def encode_line(line: bytes) -> bytes:
    """Make a line ready for a server; whatever it holds, the server sees one line.

    Raises ValueError for an LF or a NUL, which a line from a LineReader never holds.
    """
    if b"\n" in line or b"\0" in line:
        raise ValueError("an FTP command is one line without NUL")
    if b"\r" in line:
        line = line.replace(b"\r", b"\r\0")  # RFC 2640 section 3.1
    # 0xFF goes as it is. RFC 959 wants it doubled, but vsftpd and pure-ftpd take both bytes for
    # parts of the name (measured), and proftpd takes a single one before any other byte too.
    return line + b"\r\n"
