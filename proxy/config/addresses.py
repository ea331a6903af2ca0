"""Addresses, ports and networks as an operator writes them. Pure: resolves no name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TypeAlias

from .units import WHOLE, misfit, parse_weight

Network: TypeAlias = IPv4Network | IPv6Network

SOURCE_WORDS = "an address of this machine such as 192.0.2.7"
ADDRESS_WORDS = "an address and port such as 127.0.0.1:2121 or [::1]:2121"
PORTS_WORDS = "a range of ports such as 50000-50999"
HOST_WORDS = "a host name or IP address"
SERVER_WORDS = "a server such as ftp2.example.com or ftp2.example.com:2121"
STANDBY_WORDS = f"{SERVER_WORDS}, or {{server: ftp2.example.com, weight: 2}}"
NETWORK_WORDS = "a network such as 10.20.0.0/16 or an address"
TOLD_WORDS = "auto or an IPv4 address that clients can reach"

LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
HIGHEST_PORT = 65535
FTP_PORT = 21


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port. Port 0 lets the kernel choose, where we listen."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Tell whether only this machine can reach it."""
        if self.host.rstrip(".").lower() == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False  # a name: where it leads is decided elsewhere


@dataclass(frozen=True, slots=True)
class Standby:
    """A further server, and the share of the work that it gets beside the others."""

    address: Address
    weight: float = 1.0

    def __str__(self) -> str:
        if self.weight == 1.0:
            return str(self.address)
        return f"{{server: {self.address}, weight: {self.weight:g}}}"


@dataclass(frozen=True, slots=True)
class PortRange:
    """Ports from first to last, both included."""

    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1

    def __contains__(self, port: int) -> bool:
        return self.first <= port <= self.last

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"

    def overlaps(self, other: PortRange) -> bool:
        """Tell whether any port is in both."""
        return self.first <= other.last and other.first <= self.last


def parse_address(value: object) -> Address:
    """Read HOST:PORT; an IPv6 address stands in brackets, as in a URL (RFC 3986 section 3.2.2)."""
    if isinstance(value, Address):
        return value
    if not isinstance(value, str):
        raise misfit(ADDRESS_WORDS, value)
    host, _, digits = value.rpartition(":")
    port = _port(digits)
    bracketed = host.startswith("[") and host.endswith("]")
    name = host[1:-1] if bracketed else host
    if port is None or not is_host(name) or bracketed != (":" in name):
        raise misfit(ADDRESS_WORDS, value, _address_hint(value, host, port))
    return Address(name, port)


def _address_hint(text: str, host: str, port: int | None) -> str | None:
    if port is None:
        return None
    if host == "":
        return f"127.0.0.1:{port}" if ":" not in text else f"0.0.0.0:{port}"
    if host == "*":
        return f"0.0.0.0:{port}"
    return f"[{host}]:{port}" if _is_ipv6(host) else None


def _port(digits: str) -> int | None:
    if not WHOLE.fullmatch(digits):
        return None
    port = int(digits)
    return port if port <= HIGHEST_PORT else None


def parse_ports(value: object) -> PortRange:
    """Read FIRST-LAST, or a single port."""
    if isinstance(value, PortRange):
        return value
    if not isinstance(value, str):
        raise misfit(PORTS_WORDS, value)
    first, dash, last = value.partition("-")
    low, high = _port(first), _port(last if dash else first)
    if not low or not high:
        raise misfit(PORTS_WORDS, value)
    if low > high:
        raise misfit(PORTS_WORDS, value, f"{high}-{low}")
    return PortRange(low, high)


def parse_host(value: object) -> str:
    """Read a server's name or address; its port is a key of its own."""
    if isinstance(value, str):
        host = _unbracketed(value)
        if is_host(host):
            return host
        raise misfit(HOST_WORDS, value, _host_hint(value))
    raise misfit(HOST_WORDS, value)


def _host_hint(text: str) -> str | None:
    bare = re.sub(r"^[a-z]+://|/.*$", "", text)
    host = _unbracketed(re.sub(r"(?<=[^:]):[0-9]+$", "", bare))
    return host if is_host(host) else None


def _unbracketed(text: str) -> str:
    return text[1:-1] if text.startswith("[") and text.endswith("]") else text


def parse_server(value: object) -> Address:
    """Read HOST or HOST:PORT; without one it is FTP's own port."""
    if isinstance(value, Address):
        return value
    if isinstance(value, str) and is_host(_unbracketed(value)):
        return Address(_unbracketed(value), FTP_PORT)
    try:
        server = parse_address(value)
    except ValueError:
        raise misfit(SERVER_WORDS, value) from None
    if not server.port:
        raise misfit(SERVER_WORDS, value)
    return server


def parse_standby(value: object) -> Standby:
    """Read a server alone, or with its weight."""
    if isinstance(value, Standby):
        return value
    if not isinstance(value, dict):
        try:
            return Standby(parse_server(value))
        except ValueError:
            raise misfit(STANDBY_WORDS, value) from None
    if "server" not in value or value.keys() - {"server", "weight"}:
        raise misfit(STANDBY_WORDS, ", ".join(map(str, value)))
    return Standby(parse_server(value["server"]), parse_weight(value.get("weight", 1)))


def is_host(text: str) -> bool:
    """Tell whether this could be a host: an IP address, or a name that is no broken IP address."""
    if _is_ipv4(text) or _is_ipv6(text):
        return True
    labels = text.removesuffix(".").split(".")
    # RFC 3696 section 2: no top-level name is all digits, so 10.1.2 is an address gone wrong.
    wrong = len(text) > 253 or labels[-1].isdigit()
    return not wrong and all(LABEL.fullmatch(label) for label in labels)


def _is_ipv4(text: str) -> bool:
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return True


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True


def parse_source(value: object) -> str:
    """Read an address of this machine, IPv4 or IPv6."""
    if isinstance(value, str) and (_is_ipv4(value) or _is_ipv6(value)):
        return value
    raise misfit(SOURCE_WORDS, value)


def parse_told(value: object) -> str:
    """Read the address for a 227 reply, which has room for IPv4 only (RFC 959 section 4.1.2)."""
    if value == "auto":
        return "auto"
    if isinstance(value, str) and _is_ipv4(value) and not IPv4Address(value).is_unspecified:
        return value
    raise misfit(TOLD_WORDS, value)


def parse_network(value: object) -> Network:
    """Read a network in CIDR form; bits behind the prefix are a slip, not a smaller network."""
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    if not isinstance(value, str):
        raise misfit(NETWORK_WORDS, value)
    try:
        return ip_network(value)
    except ValueError:
        raise misfit(NETWORK_WORDS, value, _network_hint(value)) from None


def is_within(networks: Iterable[Network], host: str) -> bool:
    """Tell whether a numeric address is in one of them; IPv4 inside IPv6 counts as IPv4."""
    address = ip_address(host)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return any((mapped or address) in network for network in networks)


def _network_hint(text: str) -> str | None:
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        return None
