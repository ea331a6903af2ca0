"""FTP replies: made by us, or read from a server and passed on byte for byte. Pure.

Knows the form of a reply (RFC 959 section 4.2), never what it answers.
"""

from __future__ import annotations

import re

from proxy.value import value

from .lines import MAX_LINE

# Largest reply in bytes, line ends included: a STAT of a big directory comes as one.
MAX_REPLY = 1 << 20

# Longest line of ours, and of a reply in a log: some clients refuse longer ones.
MAX_WORDS = 500
_WORDY_LINES = 100  # how far a log looks for words in a reply of many lines

_CR, _BLANK, _HYPHEN = b"\r", b" ", b"-"
_SPACED = bytes(range(0x20))
_UNPRINTABLE = bytes(range(0x7F, 0x100))
_PRINTABLE = bytes.maketrans(_SPACED + _UNPRINTABLE, b" " * len(_SPACED) + b"?" * len(_UNPRINTABLE))

# A reply of one line.
_WHOLE_REPLY = re.compile(rb"[1-5][0-9]{2} [^\n]*\r\n")


class ReplyError(ValueError):
    """The server said something that is no reply, or too much."""


@value
class Reply:
    """One reply: its code, and its lines exactly as on the wire, without CRLF."""

    code: int
    lines: tuple[bytes, ...]

    @classmethod
    def of(cls, code: int, *text: str) -> Reply:
        """Make a reply of our own words, one line for each text.

        Never raises: what may not stand in a line (CR, LF, controls, non-ASCII) is replaced, and
        a text is cut after MAX_WORDS characters.
        """
        number = b"%d" % code
        *before, last = (
            _printable(line[:MAX_WORDS].encode("ascii", "replace")) for line in text or ("",)
        )
        # The blank before inner lines keeps digits in them from looking like the end.
        inner = [number + b"-" + line if i == 0 else b" " + line for i, line in enumerate(before)]
        return cls(code, (*inner, number + b" " + last))

    def encode(self) -> bytes:
        """Return the reply as it goes to the client."""
        return b"\r\n".join(self.lines) + b"\r\n"

    @property
    def text(self) -> bytes:
        """The last line without its code."""
        return self.lines[-1][4:]

    @property
    def words(self) -> str:
        """All text in one line of printable ASCII for logs, at most MAX_WORDS characters."""
        texts = (self._without_code(line)[:MAX_WORDS] for line in self.lines[:_WORDY_LINES])
        words = _printable(b" ".join(texts)).decode("ascii").split()
        return " ".join(words)[:MAX_WORDS]

    @property
    def is_preliminary(self) -> bool:
        """1xx: the final reply is still to come."""
        return 100 <= self.code < 200

    @property
    def is_success(self) -> bool:
        """2xx: done."""
        return 200 <= self.code < 300

    @property
    def is_intermediate(self) -> bool:
        """3xx: fine so far, another command is wanted."""
        return 300 <= self.code < 400

    @property
    def is_refusal(self) -> bool:
        """4xx or 5xx: not done."""
        return 400 <= self.code < 600

    def _without_code(self, line: bytes) -> bytes:
        own = line[:3] == b"%d" % self.code and line[3:4] in (_BLANK, _HYPHEN, b"")
        return line[4:] if own else line


class Refused(Exception):
    """An error that carries the reply it deserves."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply)
        self.reply = reply

    def __str__(self) -> str:
        return self.reply.words


class ReplyReader:
    """Cuts what a server sends into replies; any division into feeds gives the same replies.

    The first nonsense ends the reader. Replies completed by the same feed are returned, `error`
    tells at once that no more will come, and every later feed raises it.
    """

    def __init__(self) -> None:
        self._pending = False
        self._partial = bytearray()
        self._lines: list[bytes] = []
        self._size = 0  # bytes in _lines, line ends included
        self._nonsense: str | None = None

    def feed(self, data: bytes) -> list[Reply]:
        """Take bytes and return the replies they complete; raise ReplyError on nonsense."""
        # Nearly every feed is one whole line; nothing is pending, nothing went wrong before.
        if not self._pending and len(data) <= MAX_LINE + 1 and _WHOLE_REPLY.fullmatch(data):
            return [Reply(int(data[:3]), (data[:-2],))]
        return self._feed_anything(data)

    @property
    def pending(self) -> bool:
        """Tell whether a reply has begun and not ended."""
        return self._pending and self._nonsense is None

    @property
    def error(self) -> ReplyError | None:
        """What the next feed will raise, if the server has already talked nonsense."""
        return None if self._nonsense is None else ReplyError(self._nonsense)

    def _feed_anything(self, data: bytes) -> list[Reply]:
        replies: list[Reply] = []
        if self._nonsense is None:
            try:
                self._read(data, replies)
            except ReplyError as error:
                self._nonsense = str(error)
                self._partial.clear()
                self._lines.clear()
            self._pending = bool(self._partial or self._lines or self._nonsense)
        if self._nonsense is not None and not replies:
            raise ReplyError(self._nonsense)
        return replies

    def _read(self, data: bytes, replies: list[Reply]) -> None:
        *ends, rest = data.split(b"\n")
        for end in ends:
            self._hold(end)
            line = bytes(self._partial)
            self._partial.clear()
            self._size += len(line) + 1
            if self._size > MAX_REPLY:
                raise ReplyError(f"a reply of more than {MAX_REPLY} bytes")
            if (reply := self._add(line.removesuffix(_CR))) is not None:
                replies.append(reply)
        self._hold(rest)

    def _hold(self, piece: bytes) -> None:
        if len(self._partial) + len(piece) > MAX_LINE:
            raise ReplyError(f"a line of more than {MAX_LINE} bytes")
        self._partial += piece

    def _add(self, line: bytes) -> Reply | None:
        if not self._lines:
            if not line:
                # A stray blank line between replies says nothing: some servers send one.
                self._size = 0
                return None
            if not _is_code(line[:3]) or line[3:4] not in (_BLANK, _HYPHEN, b""):
                raise ReplyError(f"not a reply: {_printable(line[:100]).decode('ascii')}")
        self._lines.append(line)
        # RFC 959 section 4.2: only the opening code and a blank end a reply of several lines.
        # Some servers forget the blank when no text follows.
        if line[:3] != self._lines[0][:3] or line[3:4] not in (_BLANK, b""):
            return None
        reply = Reply(int(line[:3]), tuple(self._lines))
        self._lines.clear()
        self._size = 0
        return reply


def _is_code(digits: bytes) -> bool:
    return len(digits) == 3 and digits.isdigit() and b"1" <= digits[:1] <= b"5"


def _printable(text: bytes) -> bytes:
    return text.translate(_PRINTABLE)
