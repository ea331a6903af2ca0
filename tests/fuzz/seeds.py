"""Where each fuzz target begins: honest input, so that the fuzzer need not guess the grammar."""

from __future__ import annotations

from pathlib import Path

_TRANSCRIPTS = Path(__file__).parent.parent / "transcripts"
_SAMPLE = Path(__file__).parent.parent.parent / "config" / "ftpweir.yaml"
_ENTRY = b"-rw-r--r--    1 1000     1000           12 Nov 21 09:39 "


def seeds(target: str) -> list[bytes]:
    """Return the honest inputs of a target."""
    match target:
        case "lines":
            return [*_spoken(b"C: ", b"\r\n"), b"\xff\xf4\xff\xf2ABOR\r\n", b"RETR a\r\0b\r\n"]
        case "commands":
            return _spoken(b"C: ", b"\r\n")
        case "replies":
            return [*_spoken(b"S: ", b"\r\n"), b"211-Features:\r\n UTF8\r\n211 End\r\n"]
        case "addresses":
            return [
                b"192,0,2,7,156,64",
                b"|1|192.0.2.7|40000|",
                b"|2|2001:db8::1|40000|",
                b"Entering Passive Mode (192,0,2,9,156,64).",
                b"Entering Extended Passive Mode (|||40000|)",
            ]
        case "listings":
            return [_ENTRY + b"a\n" + _ENTRY + b".b", b" " + _ENTRY + b"c d"]
        case "proxy_headers":
            return [
                b"PROXY TCP4 192.0.2.7 192.0.2.1 40000 21\r\nUSER a\r\n",
                b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\xc0\0\x02\x01\x9c@\0\x15",
            ]
        case _:
            return [_SAMPLE.read_bytes(), b"upstream: {host: a}\n"]


def _spoken(mark: bytes, end: bytes) -> list[bytes]:
    """Return what one side says in each transcript."""
    said = []
    for file in sorted(_TRANSCRIPTS.glob("*.txt")):
        lines = file.read_bytes().splitlines()
        said.append(b"".join(line[len(mark) :] + end for line in lines if line.startswith(mark)))
    return said
