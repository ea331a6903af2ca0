"""What a balancer says of its client, byte for byte as the specification writes it."""

from __future__ import annotations

import pytest

from proxy.net.proxy_header import (
    HEAD,
    LONGEST_TAIL,
    LONGEST_TEXT,
    SIGNATURE,
    BadHeader,
    ProxyHeader,
    Told,
)

CLIENT4, US4 = bytes([192, 0, 2, 7]), bytes([192, 0, 2, 1])
CLIENT6 = bytes.fromhex("20010db8000000000000000000000007")
PORTS = (40000).to_bytes(2) + (21).to_bytes(2)


def binary(command: int, family: int, tail: bytes) -> bytes:
    return SIGNATURE + bytes([command, family]) + len(tail).to_bytes(2) + tail


def told(data: bytes) -> Told:
    found = ProxyHeader().feed(data)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("header", "source"),
    [
        (b"PROXY TCP4 192.0.2.7 192.0.2.1 40000 21\r\n", ("192.0.2.7", 40000)),
        (b"PROXY TCP6 2001:db8::7 2001:db8::1 40000 21\r\n", ("2001:db8::7", 40000)),
        (b"PROXY UNKNOWN\r\n", None),
        (b"PROXY UNKNOWN ffff:f...f ffff:f...f 65535 65535\r\n", None),
        (binary(0x21, 0x11, CLIENT4 + US4 + PORTS), ("192.0.2.7", 40000)),
        (binary(0x21, 0x11, CLIENT4 + US4 + PORTS + b"\4\0\1x"), ("192.0.2.7", 40000)),
        (binary(0x21, 0x21, CLIENT6 + CLIENT6 + PORTS), ("2001:db8::7", 40000)),
        (binary(0x20, 0x00, b""), None),
        (binary(0x20, 0x11, CLIENT4 + US4 + PORTS), None),
        (binary(0x21, 0x00, b"whatever"), None),
    ],
)
def test_a_header_tells_whose_connection_it_is(
    header: bytes, source: tuple[str, int] | None
) -> None:
    assert told(header) == Told(source, b"")
    assert told(header + b"USER a\r\n") == Told(source, b"USER a\r\n")


@pytest.mark.parametrize(
    "data",
    [
        b"USER alice\r\n",
        b"proxy TCP4 192.0.2.7 192.0.2.1 40000 21\r\n",
        b"PROXY\r\n",
        b"PROXY TCP4 192.0.2.7 192.0.2.1 40000\r\n",
        b"PROXY TCP4  192.0.2.7 192.0.2.1 40000 21\r\n",
        b"PROXY TCP4 192.0.2.7 192.0.2.1 40000 21 \r\n",
        b"PROXY TCP4 192.0.2.777 192.0.2.1 40000 21\r\n",
        b"PROXY TCP4 2001:db8::7 192.0.2.1 40000 21\r\n",
        b"PROXY TCP6 fe80::1%lo 2001:db8::1 40000 21\r\n",
        b"PROXY TCP4 192.0.2.7 ftp.example.com 40000 21\r\n",
        b"PROXY TCP4 192.0.2.7 192.0.2.1 040 21\r\n",
        b"PROXY TCP4 192.0.2.7 192.0.2.1 65536 21\r\n",
        b"PROXY TCP4 192.0.2.7 192.0.2.1 -1 21\r\n",
        b"PROXY UDP4 192.0.2.7 192.0.2.1 40000 21\r\n",
        b"PROXY TCP4 \xff 192.0.2.1 40000 21\r\n",
        b"PROXY UNKNOWN" + b"x" * LONGEST_TEXT,
        binary(0x11, 0x11, CLIENT4 + US4 + PORTS),
        binary(0x22, 0x11, CLIENT4 + US4 + PORTS),
        binary(0x21, 0x12, CLIENT4 + US4 + PORTS),
        binary(0x21, 0x31, bytes(216)),
        binary(0x21, 0x11, CLIENT4 + US4),
        binary(0x21, 0x21, CLIENT4 + US4 + PORTS),
        binary(0x21, 0x11, bytes(LONGEST_TAIL + 1))[:HEAD],
        SIGNATURE[:-1] + b"X",
    ],
)
def test_anything_else_is_no_header(data: bytes) -> None:
    with pytest.raises(BadHeader):
        ProxyHeader().feed(data)


def test_the_longest_line_of_the_specification_is_taken() -> None:
    words = b"PROXY UNKNOWN " + b"f" * 39 + b" " + b"f" * 39 + b" 65535 65535\r\n"
    assert len(words) == LONGEST_TEXT
    assert told(words).source is None


def test_what_may_still_become_a_header_is_waited_for() -> None:
    for start in (b"", b"PRO", b"PROXY TCP4 192.0.2.7", SIGNATURE, SIGNATURE + b"\x21\x11"):
        assert ProxyHeader().feed(start) is None
