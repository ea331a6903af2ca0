"""The start of a connection on which a balancer may have the first word: its PROXY header.

Reads that one header and steps aside; the channel behind it never notices, and nobody else pays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .peer import Peer, peer_of
from .proxy_header import BadHeader, ProxyHeader

PATIENCE = 5.0  # seconds a balancer has for its header; it sends it with its first packet


class HeaderFirst(asyncio.Protocol):
    """Makes way for the protocol that `make` returns, told whose connection it is.

    None stands for the one who is connected, whether it is a client that `trusts` says nothing of,
    or the balancer for itself. What a trusted one says wrong is told to `refused`, and ends.
    """

    def __init__(
        self,
        make: Callable[[Peer | None], asyncio.Protocol],
        *,
        trusts: Callable[[str], bool],
        refused: Callable[[str, str], None],
        patience: float = PATIENCE,
    ) -> None:
        self._make = make
        self._trusts = trusts
        self._refused = refused
        self._patience = patience
        self._header = ProxyHeader()
        self._peer = ""
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's are no asyncio.Transport
        if (peer := peer_of(transport)) is None:
            return
        self._peer = peer[0]
        if not self._trusts(self._peer):
            self._make_way(None, b"")
            return
        loop = asyncio.get_running_loop()
        words = f"no PROXY header within {self._patience:g} s"
        self._timer = loop.call_later(self._patience, self._break_off, words)

    def data_received(self, data: bytes) -> None:
        try:
            told = self._header.feed(data)
        except BadHeader as problem:
            self._break_off(str(problem))
            return
        if told is not None:
            self._make_way(told.source, told.rest)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_timer()  # who only looked whether anybody is here has done nothing wrong

    def _make_way(self, source: Peer | None, rest: bytes) -> None:
        self._forget_timer()
        protocol = self._make(source)
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        if rest:
            protocol.data_received(rest)

    def _break_off(self, why: str) -> None:
        self._forget_timer()
        self._refused(self._peer, why)
        self._transport.abort()

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
