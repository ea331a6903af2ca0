"""The way by which the desk looks into a worker: a Unix socket with a password of its own.

It stands in Linux' abstract names: there is no file to protect or to tidy up. Anybody on this
machine may connect to such a name, so who asks must know the token, which no configuration holds.
Nothing is obeyed here: what all are to do, the parent tells them.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import secrets
import socket
from dataclasses import dataclass, field
from typing import Final

PATIENCE: Final = 3.0  # seconds: a worker that does not answer keeps nobody waiting for longer
BACKLOG: Final = 64
LARGEST: Final = 64 << 20  # bytes of an answer


class NoSign(Exception):
    """A worker did not answer, or not as it should."""


@dataclass(frozen=True, slots=True)
class Hatch:
    """One worker's. Made before the fork: it outlives the worker, for the next one."""

    sock: socket.socket
    token: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)

    @classmethod
    def made(cls) -> Hatch:
        """Listen at a name that the kernel chooses."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.bind("")
        sock.listen(BACKLOG)
        return cls(sock)

    async def ask(self, path: str) -> bytes:
        """Return what a GET brings; raise NoSign."""
        status, body = await asyncio.to_thread(self._request, path)
        if status != http.client.OK:
            raise NoSign(f"{path}: {status}")
        return body

    def _request(self, path: str) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {self.token}"}
        with contextlib.closing(_Line(self.sock.getsockname(), PATIENCE)) as line:
            try:
                line.request("GET", path, headers=headers)
                answer = line.getresponse()
                return answer.status, answer.read(LARGEST)
            except (OSError, http.client.HTTPException) as problem:
                raise NoSign(str(problem) or type(problem).__name__) from None


class _Line(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, name: bytes, patience: float) -> None:
        super().__init__("localhost", timeout=patience)
        self._name = name

    def connect(self) -> None:
        """Connect to the name instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._name)
