"""The kernel's table of TCP sockets, as a scanner reads it. Needs no root, changes nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Final

TIME_WAIT: Final = 0x06
LISTEN: Final = 0x0A
# How long Linux keeps a socket in TIME_WAIT. A constant of the kernel (TCP_TIMEWAIT_LEN):
# net.ipv4.tcp_fin_timeout does not change it.
KEPT: Final = 60.0
TICKS: Final = 100  # USER_HZ, the unit of the table's timers


@dataclass(frozen=True, slots=True)
class Line:
    """One socket."""

    local_port: int
    peer: str
    peer_port: int
    state: int
    age: float  # seconds in TIME_WAIT; 0.0 in any other state


def sockets(pid: int | str = "self") -> list[Line]:
    """Return the sockets in the network namespace of a process, each once.

    Under load the kernel repeats lines while the table changes below the reader.
    """
    found: dict[tuple[int, str, int], Line] = {}
    for name in ("tcp", "tcp6"):
        path = Path(f"/proc/{pid}/net/{name}")
        if path.exists():
            for line in parse(path.read_text().splitlines()[1:]):
                found[line.local_port, line.peer, line.peer_port] = line
    return list(found.values())


def parse(rows: Iterable[str]) -> Iterator[Line]:
    """Read the rows of /proc/net/tcp, its headline left out."""
    for row in rows:
        fields = row.split()
        peer, peer_port = fields[2].split(":")
        state = int(fields[3], 16)
        age = 0.0
        if state == TIME_WAIT:
            # tr:tm->when. In TIME_WAIT the timer shows what is left of the 60 s.
            age = max(0.0, KEPT - int(fields[5].split(":")[1], 16) / TICKS)
        yield Line(int(fields[1].split(":")[1], 16), _address(peer), int(peer_port, 16), state, age)


def _address(digits: str) -> str:
    """Read an address as the kernel prints it: words in the machine's own byte order."""
    raw = b"".join(
        int(digits[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(digits), 8)
    )
    address: IPv4Address | IPv6Address = ip_address(raw)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address)
