"""The way by which the desk looks into a worker: a Unix socket with a password of its own.

It stands in Linux' abstract names: there is no file to protect or to tidy up. Anybody on this
machine may connect to such a name, so who asks must know the token, which no configuration holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import secrets
import socket
from dataclasses import dataclass, field
from typing import Any, Final

from .access import ACTION_HEADER

PATIENCE: Final = 3.0  # seconds: a worker that does not answer keeps nobody waiting for longer
DEED: Final = 60.0  # seconds for an order: a long file takes its time
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
        status, body = await asyncio.to_thread(self._request, "GET", path, PATIENCE)
        if status != http.client.OK:
            raise NoSign(f"{path}: {status}")
        return body

    async def order(self, path: str) -> dict[str, Any]:
        """Return what a POST brings; raise NoSign."""
        _, body = await asyncio.to_thread(self._request, "POST", path, DEED)
        with contextlib.suppress(ValueError):
            told = json.loads(body)
            if isinstance(told, dict):
                return told
        raise NoSign(path)

    def _request(self, method: str, path: str, patience: float) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {self.token}", ACTION_HEADER: "1"}
        with contextlib.closing(_Line(self.sock.getsockname(), patience)) as line:
            try:
                line.request(method, path, headers=headers)
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
