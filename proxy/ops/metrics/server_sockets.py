"""Counts this process's own connections to the server in the kernel's table, beside the ledger.

Slow where the table is long (it is read whole): never on the hot path, and best in a thread.
"""

from __future__ import annotations

import os
import socket
import sys
from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from .socket_table import LISTEN, TIME_WAIT, Row, rows


@dataclass(frozen=True, slots=True)
class Sockets:
    """Connections to the server."""

    open: int  # of this process
    time_wait: int  # of this machine: such a socket has no owner any more


@dataclass(frozen=True, slots=True)
class Search:
    """Which sockets are meant: from one of our addresses (None: any) to one of the server's, but
    for those at ports of ours, where clients are who may share the server's address."""

    ours: str | None
    servers: Collection[str]
    not_ports: Collection[int]


def count(searches: Collection[Search]) -> list[Sockets]:
    """Count for each search; open sockets are only this process's own."""
    servers = [_all_as_listed(search.servers) for search in searches]
    lines, own = rows(frozenset().union(*servers)), _own_inodes()
    return [
        _counted(search, towards, lines, own)
        for search, towards in zip(searches, servers, strict=True)
    ]


def _counted(
    search: Search, servers: Collection[str], lines: Collection[Row], own: Collection[int]
) -> Sockets:
    ours = _as_listed(search.ours) if search.ours is not None else None
    states = Counter(
        line.state == TIME_WAIT
        for line in lines
        if line.remote_address in servers
        and line.state != LISTEN
        and (ours is None or line.local_address in ours)
        and line.local_port not in search.not_ports
        and (line.inode in own or line.state == TIME_WAIT)
    )
    return Sockets(open=states[False], time_wait=states[True])


def _own_inodes() -> frozenset[int]:
    inodes = set()
    with suppress(FileNotFoundError):
        for name in os.listdir("/proc/self/fd"):
            with suppress(OSError):
                target = os.readlink(f"/proc/self/fd/{name}")
                if target.startswith("socket:["):
                    inodes.add(int(target[8:-1]))
    return frozenset(inodes)


def _all_as_listed(hosts: Collection[str]) -> frozenset[str]:
    return frozenset(form for host in hosts for form in _as_listed(host))


def _as_listed(host: str) -> frozenset[str]:
    """Return an address in the kernel's hexadecimal forms: an IPv4 one may stand in tcp6 too."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return frozenset()
    if isinstance(address, IPv6Address):
        return frozenset({_words(address.packed)})
    mapped = socket.inet_pton(socket.AF_INET6, f"::ffff:{address}")
    return frozenset({_words(address.packed), _words(mapped)})


def _words(packed: bytes) -> str:
    """Write 32-bit words as this machine's integers, as the kernel does."""
    words = (packed[at : at + 4] for at in range(0, len(packed), 4))
    return "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words)
