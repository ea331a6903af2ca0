"""Count TCP sockets as the kernel lists them, in the network namespace of any process."""

from __future__ import annotations

import socket
import sys
from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path


class State(IntEnum):
    """The states of the kernel's tcp_states.h that the tests ask for."""

    ESTABLISHED = 0x01
    SYN_RECEIVED = 0x03
    FIN_WAIT1 = 0x04
    FIN_WAIT2 = 0x05
    TIME_WAIT = 0x06
    CLOSE_WAIT = 0x08
    LAST_ACK = 0x09
    LISTEN = 0x0A
    CLOSING = 0x0B


# What a scanner of the socket table (CSF's lfd, for one) counts as connections.
CONNECTIONS = frozenset(State) - {State.LISTEN}


@dataclass(frozen=True, slots=True)
class Socket:
    """One line of the table; the addresses stay in the kernel's hexadecimal form."""

    local_address: str
    local_port: int
    remote_address: str
    remote_port: int
    state: int


def table(pid: int | str = "self") -> frozenset[Socket]:
    """Return the TCP sockets in the namespace of a process, each once.

    Under load the kernel repeats lines while the table changes below the reader: a set forgives it.
    """
    found: dict[tuple[str, str], Socket] = {}
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]:
            fields = line.split()
            local_address, local_port = fields[1].split(":")
            remote_address, remote_port = fields[2].split(":")
            # The pair is the identity: a socket that changed its state meanwhile counts once.
            found[fields[1], fields[2]] = Socket(
                local_address,
                int(local_port, 16),
                remote_address,
                int(remote_port, 16),
                int(fields[3], 16),
            )
    return frozenset(found.values())


def count(
    pid: int | str = "self",
    *,
    local_port: int | None = None,
    states: Collection[int] = CONNECTIONS,
) -> int:
    """Count the sockets in these states, on one local port or on all."""
    return sum(_is_meant(entry, local_port, states) for entry in table(pid))


def count_at_once(pid: int | str, *, local_port: int, state: State) -> int:
    """Count the sockets that were in this state at one and the same moment.

    One reading takes so long that it may see a connection and, further down, its successor. What
    two readings have seen was there between them.
    """
    both = table(pid) & table(pid)
    return sum(_is_meant(entry, local_port, {state}) for entry in both)


def _is_meant(entry: Socket, local_port: int | None, states: Collection[int]) -> bool:
    return entry.state in states and local_port in (None, entry.local_port)


def as_listed(address: str) -> str:
    """Return an IPv4 address in the kernel's hexadecimal form."""
    return f"{int.from_bytes(socket.inet_aton(address), sys.byteorder):08X}"
