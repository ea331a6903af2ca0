"""How long the kernel bears the silence of a server, by the socket of our session with it."""

from __future__ import annotations

import os
import socket

from proxy.upstream.session import UpstreamSession


def borne(session: UpstreamSession) -> float:
    """For how many seconds the server may acknowledge nothing; 0: probes decide."""
    return _option(session, socket.TCP_USER_TIMEOUT) / 1000


def probed_after(session: UpstreamSession) -> int:
    """After how many quiet seconds the kernel begins to ask."""
    return _option(session, socket.TCP_KEEPIDLE)


def _option(session: UpstreamSession, option: int) -> int:
    with socket.socket(fileno=os.dup(session.channel.fileno)) as sock:
        return sock.getsockopt(socket.IPPROTO_TCP, option)
