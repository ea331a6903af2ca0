"""Listening sockets that a service manager opened for us (sd_listen_fds(3)).

They outlive this process: while it restarts, clients wait in their backlog and are not refused.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

FIRST = 3  # the descriptor behind standard input, output and error


class NotListening(Exception):
    """A descriptor was handed over that is no listening TCP socket."""


def inherited(environ: Mapping[str, str], pid: int) -> list[socket.socket]:
    """Return the sockets meant for this process; they close with it, and only for us."""
    count = environ.get("LISTEN_FDS", "")
    # The variables are inherited further than they are meant for: the number tells.
    if environ.get("LISTEN_PID") != str(pid) or not count.isdecimal():
        return []
    return [_socket(number) for number in range(FIRST, FIRST + int(count))]


def _socket(number: int) -> socket.socket:
    try:
        os.set_inheritable(number, False)
        sock = socket.socket(fileno=number)
        is_listening = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as problem:
        raise NotListening(f"descriptor {number} is no socket: {problem.strerror}") from None
    if not is_listening or sock.family not in (socket.AF_INET, socket.AF_INET6):
        raise NotListening(f"descriptor {number} is no listening TCP socket")
    return sock
