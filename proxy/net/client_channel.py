"""A client's control connection: command lines in, Telnet negotiation answered (RFC 854)."""

from __future__ import annotations

from collections.abc import Callable

from proxy.ftp.lines import LineReader, Malformed

from .control import Channel
from .fault import Fault, Why

CLIENT_HELLO = b"\x16\x03"  # how TLS begins, and no command does
SPEAKS_FIRST = "it speaks TLS from its first byte on (listen.tls: implicit)"


class ClientChannel(Channel[bytes | Malformed]):
    """A client's control connection: command lines in, Telnet negotiation answered (RFC 854).

    `told` is whose connection it is, where a balancer that is believed has said so.
    """

    def __init__(
        self, on_open: Callable[[ClientChannel], None], told: tuple[str, int] | None = None
    ) -> None:
        self._lines = LineReader()
        self._told = told
        self._has_spoken = False
        super().__init__(self._lines, lambda _: self._introduce(on_open))

    def _introduce(self, on_open: Callable[[ClientChannel], None]) -> None:
        self.peer = self._told or self.peer
        on_open(self)

    def _take_in(self, data: bytes) -> None:
        if not self._has_spoken:
            self._has_spoken = True
            if data.startswith(CLIENT_HELLO):
                self.fault = Fault(Why.TLS, SPEAKS_FIRST)
                self._end()
                self.close()
                return
        super()._take_in(data)
        if answers := self._lines.answers():
            self.write(answers)
