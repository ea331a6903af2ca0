"""The kernel's table of TCP sockets, as text with little understood: the reader knows what for.

Slow where the table is long (it is read whole): never on the hot path, and best in a thread.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ESTABLISHED: Final = 0x01
TIME_WAIT: Final = 0x06
LISTEN: Final = 0x0A

_TABLES: Final = ("/proc/net/tcp", "/proc/net/tcp6")


@dataclass(frozen=True, slots=True)
class Row:
    """One socket; addresses in the kernel's hexadecimal form."""

    local_address: str
    local_port: int
    remote_address: str
    remote_port: int
    state: int
    inode: int


def rows(remote_addresses: Collection[str] | None = None) -> list[Row]:
    """List this network namespace's sockets, or those whose other end has one of these addresses;
    none where the kernel does not tell.

    An entry that the kernel repeats while they change is told once, as it was last.
    """
    found: dict[tuple[str, str], Row] = {}
    for table in _TABLES:
        with suppress(OSError):  # no IPv6, or no Linux
            for text in Path(table).read_text(encoding="ascii").splitlines()[1:]:
                fields = text.split()
                remote, remote_port = fields[2].split(":")
                if remote_addresses is not None and remote not in remote_addresses:
                    continue
                local, local_port = fields[1].split(":")
                found[fields[1], fields[2]] = Row(
                    local,
                    int(local_port, 16),
                    remote,
                    int(remote_port, 16),
                    int(fields[3], 16),
                    int(fields[9]),
                )
    return list(found.values())
