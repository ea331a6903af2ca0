"""A port that is free now, and that the kernel hands to nobody else meanwhile."""

from __future__ import annotations

import random
import socket

# Below the ports that Linux gives to outgoing connections (net.ipv4.ip_local_port_range begins at
# 32768): only who asks for one by its number gets it.
FIRST, LAST = 22_000, 26_999
_TRIES = 100
_chance = random.SystemRandom()


def free_port(host: str = "127.0.0.1") -> int:
    """Return a TCP port at which nobody is; raise OSError if none of many is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(_TRIES):
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            port = _chance.randint(FIRST, LAST)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise OSError(f"none of {_TRIES} ports of {host} is free")
