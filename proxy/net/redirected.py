"""Where a connection was made to, before a firewall turned it to us. Decides nothing."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import Final

from proxy.ftp.address import canonical

# The kernel's headers give these a number, and Python no name.
SO_ORIGINAL_DST: Final = 80
PLACES: Final = (
    (socket.AF_INET, socket.IPPROTO_IP, 16, slice(4, 8)),  # level, size and address of sockaddr_in
    (socket.AF_INET6, socket.IPPROTO_IPV6, 28, slice(8, 24)),
)


def wanted(descriptor: int, local: tuple[str, int]) -> str | None:
    """Return the address that the client of this socket has asked for; None: ours, at `local`."""
    with socket.socket(fileno=os.dup(descriptor)) as sock:
        for family, level, size, address in PLACES:
            # Where connections are not tracked the kernel knows of none.
            with suppress(OSError):
                told = sock.getsockopt(level, SO_ORIGINAL_DST, size)
                host = socket.inet_ntop(family, told[address])
                port = int.from_bytes(told[2:4], "big")
                return None if (host, port) == (canonical(local[0]), local[1]) else host
    return None
