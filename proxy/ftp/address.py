"""Addresses in FTP's words: PORT, EPRT, EPSV, 227 and 229, read and written. Pure.

Says which address may be used, never opens one; the addresses themselves are arguments.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from proxy.value import value

from .reply import Refused, Reply, ReplyError


@value
class Endpoint:
    """Where a data connection goes: a canonical numeric address (see `canonical`) and a port."""

    host: str
    port: int

    @property
    def is_ipv6(self) -> bool:
        """Tell whether only EPRT and EPSV can name this host."""
        return ":" in self.host


class EpsvArgument(Enum):
    """What the argument of an EPSV asks for."""

    ALL = auto()  # only EPSV from now on
    ANY = auto()
    IPV4 = auto()
    IPV6 = auto()


@lru_cache(maxsize=1024)  # the same few addresses with every transfer
def canonical(host: str) -> str:
    """Write a numeric address in its one form; an IPv4 address inside IPv6 becomes IPv4.

    Raises ValueError for anything else than a numeric address.
    """
    address = ip_address(host)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address)


def parse_port(argument: bytes) -> Endpoint:
    """Read the argument of PORT (RFC 959 section 4.1.2); raise Refused(501) on anything odd."""
    found = _SIX_NUMBERS.fullmatch(argument.strip(b" "))
    endpoint = _endpoint_of_six(found) if found else None
    if endpoint is None:
        raise Refused(Reply.of(501, "PORT wants six numbers: h1,h2,h3,h4,p1,p2."))
    return endpoint


def parse_eprt(argument: bytes) -> Endpoint:
    """Read the argument of EPRT (RFC 2428 section 2).

    Raises Refused: 522 for a protocol that is neither IPv4 nor IPv6, 501 on anything else odd.
    """
    argument = argument.strip(b" ")
    delimiter = argument[:1]
    if not b"!" <= delimiter <= b"~" or argument.count(delimiter) != 4:
        raise _odd_eprt()
    _, protocol, host, port, end = argument.split(delimiter)
    if end or not protocol.isdigit():
        raise _odd_eprt()
    if protocol not in _FAMILIES:
        raise _unsupported_protocol()
    if not _PORT.fullmatch(port) or not 0 < int(port) <= _HIGHEST_PORT or b"%" in host:
        raise _odd_eprt()
    try:
        address = str(_FAMILIES[protocol](host.decode("ascii")))
    except ValueError:
        raise _odd_eprt() from None
    return Endpoint(canonical(address), int(port))


def parse_epsv(argument: bytes) -> EpsvArgument:
    """Read the argument of EPSV (RFC 2428 section 3); raise Refused(501 or 522)."""
    word = argument.strip(b" ").upper()
    if word in _EPSV_ARGUMENTS:
        return _EPSV_ARGUMENTS[word]
    if word.isdigit():
        raise _unsupported_protocol()
    raise Refused(Reply.of(501, "EPSV takes nothing, 1, 2 or ALL."))


def format_port(endpoint: Endpoint) -> bytes:
    """Write the argument of PORT; raise ValueError for IPv6, which PORT cannot name."""
    return b"%s,%d,%d" % (_four_numbers(endpoint.host), *divmod(endpoint.port, 256))


def format_eprt(endpoint: Endpoint) -> bytes:
    """Write the argument of EPRT; a scope (fe80::1%eth0) means nothing elsewhere."""
    host = _without_scope(endpoint.host).encode("ascii")
    return b"|%d|%s|%d|" % (2 if endpoint.is_ipv6 else 1, host, endpoint.port)


def passive_reply(endpoint: Endpoint) -> Reply:
    """Answer PASV; raise ValueError for IPv6, which 227 cannot tell."""
    # Connection trackers on the way read only this form, parentheses and all.
    return Reply(227, (b"227 Entering Passive Mode (" + format_port(endpoint) + b").",))


def extended_passive_reply(port: int) -> Reply:
    """Answer EPSV."""
    return Reply(229, (b"229 Entering Extended Passive Mode (|||%d|)" % port,))


def parse_passive(reply: Reply) -> Endpoint:
    """Read a 227; raise ReplyError when it names no usable address."""
    # RFC 1123 section 4.1.2.6: the form is not fixed, so look for digits, not for parentheses.
    found = _SIX_IN_TEXT.search(reply.text) if reply.code == 227 else None
    endpoint = _endpoint_of_six(found) if found else None
    if endpoint is None:
        raise ReplyError(f"no address in: {reply.words}")
    return endpoint


def parse_extended_passive(reply: Reply) -> int:
    """Read the port out of a 229; raise ReplyError when there is none."""
    found = _EXTENDED.search(reply.text) if reply.code == 229 else None
    port = int(found[2]) if found else 0
    if not 0 < port <= _HIGHEST_PORT:
        raise ReplyError(f"no port in: {reply.words}")
    return port


def reachable(told: str, peer: str, *, foreign: bool = False) -> str:
    """Say which host to connect to for data when a server told one address in its 227.

    It is the peer of the control connection whenever the two differ: behind NAT the told address
    leads nowhere, and a hostile one leads where we should not go. With `foreign`, a server may
    send us elsewhere, but neither to ourselves nor, from outside, to an inside address.
    """
    peer = canonical(peer)
    if not foreign:
        return peer
    told = canonical(told)
    elsewhere = ip_address(told)
    if elsewhere.is_loopback or elsewhere.is_unspecified:
        return peer
    return told if elsewhere.is_global or not ip_address(peer).is_global else peer


def check_active(endpoint: Endpoint, client: str) -> None:
    """Raise Refused(501) unless data goes to the client itself, at an unprivileged port.

    RFC 2577 section 3: else anybody could make us connect anywhere (the bounce attack).
    """
    own = _without_scope(canonical(client))
    if _without_scope(endpoint.host) != own:
        raise Refused(
            Reply.of(501, f"Data goes only to your own address ({own}): try PASV or EPSV.")
        )
    if endpoint.port < _LOWEST_PORT:
        raise Refused(Reply.of(501, f"Data goes only to ports from {_LOWEST_PORT} on."))


_LOWEST_PORT = 1024
_HIGHEST_PORT = 65535

_SIX_NUMBERS = re.compile(rb",".join([rb"(\d{1,3})"] * 6))
_SIX_IN_TEXT = re.compile(rb"(?<!\d)" + rb", ?".join([rb"(\d{1,3})"] * 6) + rb"(?!\d)")
_PORT = re.compile(rb"\d{1,5}")
# RFC 2428 section 3: three delimiters, the port, a delimiter, all in parentheses.
_EXTENDED = re.compile(rb"\(([!-~])\1\1(\d{1,5})\1\)")

_FAMILIES: dict[bytes, type[IPv4Address] | type[IPv6Address]] = {
    b"1": IPv4Address,
    b"2": IPv6Address,
}
_EPSV_ARGUMENTS = {
    b"": EpsvArgument.ANY,
    b"1": EpsvArgument.IPV4,
    b"2": EpsvArgument.IPV6,
    b"ALL": EpsvArgument.ALL,
}


def _endpoint_of_six(found: re.Match[bytes]) -> Endpoint | None:
    a, b, c, d, high, low = map(int, found.groups())
    port = high * 256 + low
    if max(a, b, c, d, high, low) > 255 or port == 0:
        return None
    return Endpoint(f"{a}.{b}.{c}.{d}", port)


@lru_cache(maxsize=64)
def _four_numbers(host: str) -> bytes:
    """Write an IPv4 address as PORT and 227 do; remembered, for it is mostly one of our own."""
    return b"%d,%d,%d,%d" % tuple(IPv4Address(host).packed)


def _without_scope(host: str) -> str:
    return host.partition("%")[0]


def _odd_eprt() -> Refused:
    return Refused(Reply.of(501, "EPRT wants |1|address|port| or |2|address|port|."))


def _unsupported_protocol() -> Refused:
    return Refused(Reply.of(522, "Network protocol not supported, use (1,2)"))
