"""A port that is free now, and that nobody is handed meanwhile: not by the kernel, not by us."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from functools import cache
from pathlib import Path

# Below the ports that Linux gives to outgoing connections (net.ipv4.ip_local_port_range begins at
# 32768): only who asks for one by its number gets it.
FIRST, LAST = 22_000, 26_999
_TRIES = 100
_chance = random.SystemRandom()
_claimed: set[int] = set()


def free_port(host: str = "127.0.0.1") -> int:
    """Return a TCP port at which nobody is, and a new one each time.

    Raise OSError if none of many is free.
    """
    for _ in range(_TRIES):
        port = _chance.randint(FIRST, LAST)
        if claim(port) and _is_free(host, port):
            return port
    raise OSError(f"none of {_TRIES} ports of {host} is free")


def claim(port: int) -> bool:
    """Have this port, or what begins with it, to ourselves; False: somebody had claimed it before.

    It holds among this user's processes, until ours ends.
    """
    if port in _claimed:
        return False
    try:
        fcntl.lockf(_claims(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    _claimed.add(port)
    return True


@cache
def _claims() -> int:
    """Open the file whose every byte is a port: the kernel forgets locks with their process."""
    path = Path(tempfile.gettempdir(), f"ftpweir-ports-{os.getuid()}")
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
