"""What this machine has room for, read from the kernel. Opens no connection."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from ..metrics.socket_table import ESTABLISHED, rows
from .seen import Machine

_UNLIMITED = 1 << 20
_USUAL_PORTS = (32768, 60999)  # where the kernel does not tell


@dataclass(frozen=True, slots=True)
class Socket:
    """One TCP socket as the kernel lists it; a host is in its canonical form."""

    host: str
    port: int
    peer: str
    peer_port: int
    state: int
    inode: int


def look_at_machine(
    servers: Iterable[tuple[str, int]], sources: Iterable[str], state: Path | None
) -> Machine:
    """Read it all; `servers` are the addresses of the server."""
    table = sockets()
    places = set(servers)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    first, last = _ephemeral_ports()
    held = [one for one in table if (one.peer, one.peer_port) in places]
    return Machine(
        descriptors=_UNLIMITED if hard == resource.RLIM_INFINITY else hard,
        ports=last - first + 1,
        ports_used=len({one.port for one in table if first <= one.port <= last}),
        clock=datetime.now(UTC),
        state_written=_written(state),
        sessions_held=sum(one.state == ESTABLISHED for one in held),
        foreign_sources=tuple(address for address in sources if not _is_ours(address)),
    )


def sockets() -> list[Socket]:
    """List the TCP sockets of this network namespace; none where the kernel does not tell."""
    return [
        Socket(
            _host(row.local_address),
            row.local_port,
            _host(row.remote_address),
            row.remote_port,
            row.state,
            row.inode,
        )
        for row in rows()
    ]


def owner(inode: int) -> int | None:
    """Return the process that has a socket open; None: nobody whom we may look at."""
    wanted = f"socket:[{inode}]"
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):  # another user's, or just gone
                if any(one.is_symlink() and str(one.readlink()) == wanted for one in _fds(folder)):
                    return int(folder.name)
    return None


def descriptors_of(pid: int) -> tuple[int, int] | None:
    """Return how many descriptors a process has open, and may have; None: we may not look."""
    folder = Path("/proc", str(pid))
    with suppress(OSError, ValueError, IndexError):
        limits = (folder / "limits").read_text().splitlines()
        row = next(line for line in limits if line.startswith("Max open files"))
        allowed = row.split()[3]  # the soft limit, the one that is met
        limit = _UNLIMITED if allowed == "unlimited" else int(allowed)
        return sum(1 for _ in _fds(folder)), limit
    return None


def _fds(folder: Path) -> Iterator[Path]:
    return (folder / "fd").iterdir()


def _host(listed: str) -> str:
    """Read an address; the kernel writes it in words of its own byte order."""
    raw = bytes.fromhex(listed)
    # Each word of four bytes stands in the machine's order; this one is little-endian or not.
    words = b"".join(_in_network_order(raw[at : at + 4]) for at in range(0, len(raw), 4))
    if len(words) == 4:
        return str(IPv4Address(words))
    address = IPv6Address(words)
    return str(address.ipv4_mapped or address)


def _in_network_order(word: bytes) -> bytes:
    return socket.htonl(int.from_bytes(word, "big")).to_bytes(4, "big")


def _ephemeral_ports() -> tuple[int, int]:
    with suppress(OSError, ValueError):
        first, last = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
        return int(first), int(last)
    return _USUAL_PORTS


def _written(state: Path | None) -> datetime | None:
    with suppress(OSError):
        return datetime.fromtimestamp(state.stat().st_mtime, UTC) if state else None
    return None


def _is_ours(address: str) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.bind((address, 0))
    except OSError:
        return False
    return True
