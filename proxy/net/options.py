"""Socket options, each with its reason. Sends and reads nothing."""

from __future__ import annotations

import contextlib
import fcntl
import socket
import struct

MIN_RTT = struct.Struct("148xI")  # tcpi_min_rtt in Linux's struct tcp_info, microseconds
SIOCOUTQ = 0x5411  # Linux: bytes not yet acknowledged, our FIN counts as one
UNSENT = struct.Struct("i")
LINGER_ZERO = struct.pack("ii", 1, 0)  # SO_LINGER: close drops what is unsent and sends RST


def tune_control(sock: socket.socket) -> None:
    """Small messages at once, urgent data in line (RFC 959 section 4.1.3), a dead peer noticed."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
    keep_alive(sock)


def keep_alive(sock: socket.socket, idle: int = 30, every: int = 10) -> None:
    """Ask the kernel to probe a silent peer, and to give it up when three probes are lost."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, every)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)


def probe_within(sock: socket.socket, seconds: float) -> None:
    """Have several probes sent within the time that `give_up_after` is told for a quiet peer.

    By that time the kernel judges probes, too: one that is lost would be the end, if there were
    no time for another (measured).
    """
    keep_alive(sock, max(1, int(0.4 * seconds)), max(1, int(0.2 * seconds)))


def probe_at_once(sock: socket.socket) -> None:
    """Have a quiet peer probed each second from now on: three lost in a row are the end, unless
    `give_up_after` was told a time."""
    keep_alive(sock, 1, 1)


def give_up_after(sock: socket.socket, seconds: float) -> None:
    """Ask the kernel to end the connection when what was sent is unacknowledged for so long; 0: for
    as long as it usually would."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(1000 * seconds))


def acknowledge(sock: socket.socket) -> None:
    """Acknowledge the FIN just read at once: vsftpd sends its 226 only then (measured: 40 ms)."""
    if hasattr(socket, "TCP_QUICKACK"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def round_trip(sock: socket.socket) -> float:
    """Return the shortest round trip the kernel has seen, in seconds; 0.0: it does not tell."""
    if hasattr(socket, "TCP_INFO"):
        with contextlib.suppress(OSError, struct.error):
            info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, MIN_RTT.size)
            return float(MIN_RTT.unpack(info)[0]) / 1e6
    return 0.0


def was_reset(sock: socket.socket) -> bool:
    """Tell whether the connection has failed since the last word about it: it is told only once."""
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0


def lacks(sock: socket.socket) -> bool:
    """Tell whether the other side has not acknowledged all that was sent; our FIN counts."""
    with contextlib.suppress(OSError):
        unsent: int = UNSENT.unpack(fcntl.ioctl(sock, SIOCOUTQ, bytes(UNSENT.size)))[0]
        return unsent > 0
    return False


def mark(sock: socket.socket, dscp: int) -> None:
    """Tell routers the class of what we send on it (RFC 2474); a refusal is no reason to stop."""
    # The two lowest bits are ECN's, which TCP keeps for itself.
    with contextlib.suppress(OSError):
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, dscp << 2)
        else:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)
