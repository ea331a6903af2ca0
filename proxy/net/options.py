"""Socket options, each with its reason. Sends and reads nothing."""

from __future__ import annotations

import contextlib
import socket
import struct

LINGER_ZERO = struct.pack("ii", 1, 0)  # SO_LINGER: close drops what is unsent and sends RST


def tune_control(sock: socket.socket) -> None:
    """Small messages at once, urgent data in line (RFC 959 section 4.1.3), a dead peer noticed."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
    keep_alive(sock)


def keep_alive(sock: socket.socket) -> None:
    """Ask the kernel to probe a silent peer after 30 s and to give it up 30 s later."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)


def acknowledge(sock: socket.socket) -> None:
    """Acknowledge the FIN just read at once: vsftpd sends its 226 only then (measured: 40 ms)."""
    if hasattr(socket, "TCP_QUICKACK"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def mark(sock: socket.socket, dscp: int) -> None:
    """Tell routers the class of what we send on it (RFC 2474); a refusal is no reason to stop."""
    # The two lowest bits are ECN's, which TCP keeps for itself.
    with contextlib.suppress(OSError):
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, dscp << 2)
        else:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)
