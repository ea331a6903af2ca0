"""A script of the benchmark that speaks TLS; data connections resume the control connection's."""

from __future__ import annotations

import os
import socket
import ssl
from contextlib import suppress
from functools import cache
from typing import Final

from .script import BLOCK, Script

PIECE: Final = 1 << 18  # bytes handed to the library at once


@cache
def _context(ca: str) -> ssl.SSLContext:
    """Read whom to trust once; no session is kept for the next login."""
    context = ssl.create_default_context(cafile=ca)
    context.check_hostname = False
    return context


class TlsScript(Script):
    """Trusts whoever has a certificate of `ca`, whatever its name."""

    def __init__(self, address: tuple[str, int], ca: str) -> None:
        self._context = _context(ca)
        super().__init__(address)

    def _protect(self) -> None:
        self._ask(b"AUTH TLS", b"234")
        self._protected = self._context.wrap_socket(self._control)
        self._control = self._protected
        self._ask(b"PBSZ 0", b"200")
        self._ask(b"PROT P", b"200")

    def _open(self, command: bytes) -> socket.socket:
        data = super()._open(command)
        return self._context.wrap_socket(data, session=self._protected.session)

    def _fill(self, data: socket.socket) -> int:
        come = 0
        while come < BLOCK and (count := data.recv_into(memoryview(self._buffer)[come:])):
            come += count
        return come

    def _send(self, data: socket.socket, source: int, offset: int) -> int:
        piece = os.pread(source, PIECE, offset)
        data.sendall(piece)
        return len(piece)

    def _end(self, data: socket.socket) -> None:
        assert isinstance(data, ssl.SSLSocket)
        with suppress(OSError):  # not everybody answers close_notify
            data.unwrap().close()
