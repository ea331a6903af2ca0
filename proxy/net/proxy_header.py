"""The PROXY header, in which a balancer tells whose connection it passes on: versions 1 and 2.

Bytes in, one Told out, of which the specification's receiver rules are kept strictly. Bounded, and
without sockets. Whose header is believed is not decided here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
LONGEST_TEXT: Final = 107  # bytes of a version 1 header, line end included
HEAD: Final = 16  # bytes of a version 2 header before its addresses
LONGEST_TAIL: Final = 2048  # bytes of addresses and extensions; far above what balancers send

_TEXT_START: Final = b"PROXY "
_PORT = re.compile(rb"0|[1-9][0-9]{0,4}")
_LOCAL, _PROXY = 0x20, 0x21  # version 2 and the command
_UNSPECIFIED, _TCP4, _TCP6 = 0x00, 0x11, 0x21


class BadHeader(ValueError):
    """What came is no header; the message says why."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the header says. `source` None: the connection is the balancer's own."""

    source: tuple[str, int] | None
    rest: bytes  # what came behind the header


class ProxyHeader:
    """Reads one header, however its bytes are cut."""

    def __init__(self) -> None:
        self._read = b""

    def feed(self, data: bytes) -> Told | None:
        """Return what is told once it is complete; raise BadHeader as soon as it cannot become."""
        self._read += data
        read = self._read
        if read.startswith(SIGNATURE[: len(read)]):
            return _binary(read)
        if read.startswith(_TEXT_START[: len(read)]):
            return _text(read)
        raise BadHeader("no PROXY header")


def _text(read: bytes) -> Told | None:
    line, end, _ = read[:LONGEST_TEXT].partition(b"\r\n")
    if not end:
        if len(read) >= LONGEST_TEXT:
            raise BadHeader("a PROXY line that does not end")
        return None
    rest = read[len(line) + 2 :]
    words = line.split(b" ")
    if words[1] == b"UNKNOWN":  # nothing behind it counts
        return Told(None, rest)
    if words[1] not in (b"TCP4", b"TCP6") or len(words) != 6:
        raise BadHeader("a PROXY line of another form")
    kind = IPv4Address if words[1] == b"TCP4" else IPv6Address
    source, _ = (_address(kind, word) for word in words[2:4])
    port, _ = (_port(word) for word in words[4:6])
    return Told((source, port), rest)


def _address(kind: type[IPv4Address] | type[IPv6Address], word: bytes) -> str:
    try:
        text = word.decode("ascii")
        if "%" in text:
            raise ValueError("a zone means nothing elsewhere")
        return str(kind(text))
    except ValueError:
        raise BadHeader("a PROXY line without addresses") from None


def _port(word: bytes) -> int:
    if not _PORT.fullmatch(word) or int(word) > 0xFFFF:
        raise BadHeader("a PROXY line without ports")
    return int(word)


def _binary(read: bytes) -> Told | None:
    if len(read) < HEAD:
        return None
    command, family = read[12], read[13]
    length = int.from_bytes(read[14:HEAD])
    if command not in (_LOCAL, _PROXY):
        raise BadHeader("a PROXY header of another version")
    if length > LONGEST_TAIL:
        raise BadHeader(f"a PROXY header of {length} bytes")
    if len(read) < HEAD + length:
        return None
    tail, rest = read[HEAD : HEAD + length], read[HEAD + length :]
    if command == _LOCAL or family == _UNSPECIFIED:
        return Told(None, rest)
    # Behind the two addresses and ports there may be extensions; none concerns us.
    if family == _TCP4 and length >= 12:
        return Told((str(IPv4Address(tail[:4])), int.from_bytes(tail[8:10])), rest)
    if family == _TCP6 and length >= 36:
        return Told((str(IPv6Address(tail[:16])), int.from_bytes(tail[32:34])), rest)
    raise BadHeader("a PROXY header without TCP addresses")
