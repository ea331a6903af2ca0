"""A control connection to the server: replies in. What is no reply ends it."""

from __future__ import annotations

import socket

from proxy.ftp.reply import Reply, ReplyReader

from .control import Channel
from .fault import Fault, Why
from .options import give_up_after, probe_at_once


class ServerChannel(Channel[Reply]):
    """A control connection to the server: replies in."""

    def __init__(self) -> None:
        self._replies = ReplyReader()
        super().__init__(self._replies)

    def give_up_after(self, seconds: float) -> None:
        """End once the server's TCP has acknowledged nothing for so long."""
        if (sock := self._sock) is not None:
            give_up_after(sock, seconds)

    def probe_at_once(self) -> None:
        """Have the kernel ask whether the server is there, again and again."""
        if (sock := self._sock) is not None:
            probe_at_once(sock)

    @property
    def _sock(self) -> socket.socket | None:
        if self._transport is None or self._transport.is_closing():
            return None
        sock: socket.socket = self._transport.get_extra_info("socket")
        return sock

    def _take_in(self, data: bytes) -> None:
        super()._take_in(data)
        if self._replies.error is not None and not self.ended:
            self.give_up(Fault(Why.NONSENSE, str(self._replies.error)))
