"""Laws of the PROXY header: any cut of its bytes tells the same, and any bytes end in a verdict."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from hypothesis import given
from hypothesis import strategies as st

from proxy.net.proxy_header import HEAD, LONGEST_TAIL, SIGNATURE, BadHeader, ProxyHeader, Told

ports = st.integers(0, 0xFFFF)
cuts = st.lists(st.integers(1, 40), max_size=20)
behind = st.binary(max_size=40)


def read(data: bytes, cuts: list[int]) -> Told | str | None:
    """Feed it in these pieces, and what remains in one; a verdict before the end gets the rest."""
    header, at = ProxyHeader(), 0
    try:
        for length in [*cuts, len(data)]:
            told = header.feed(data[at : at + length])
            at += length
            if told is not None:
                return Told(told.source, told.rest + data[at:])
    except BadHeader:
        return "bad"
    return None


@given(st.ip_addresses(), ports, behind, cuts, st.booleans())
def test_a_header_however_it_is_cut_tells_the_same(
    address: IPv4Address | IPv6Address, port: int, rest: bytes, cuts: list[int], text: bool
) -> None:
    is_ipv4 = isinstance(address, IPv4Address)
    if text:
        family = "TCP4" if is_ipv4 else "TCP6"
        header = f"PROXY {family} {address} {address} {port} 21\r\n".encode()
    else:
        tail = address.packed * 2 + port.to_bytes(2) + (21).to_bytes(2)
        header = (
            SIGNATURE + (b"\x21\x11" if is_ipv4 else b"\x21\x21") + len(tail).to_bytes(2) + tail
        )
    assert read(header + rest, cuts) == Told((str(address), port), rest)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=120).map(lambda data: b"PROXY " + data),
        st.binary(max_size=120).map(lambda data: b"PROXY TCP4 " + data + b"\r\n"),
        st.binary(max_size=120).map(lambda data: SIGNATURE + data),
    ),
    cuts,
)
def test_any_bytes_however_they_are_cut_meet_the_same_verdict(data: bytes, cuts: list[int]) -> None:
    assert read(data, cuts) == read(data, [])


@given(st.binary(min_size=HEAD + LONGEST_TAIL, max_size=HEAD + LONGEST_TAIL + 50))
def test_nobody_is_listened_to_for_ever(data: bytes) -> None:
    for start in (b"", b"PROXY ", SIGNATURE):
        assert read(start + data, []) is not None
