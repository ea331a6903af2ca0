"""The client's end of one data connection: takes or gives bytes, and notes when what happened.

Keeps a running SHA-256 of what came, never the bytes themselves, except of listings.
"""

from __future__ import annotations

import asyncio
import socket
from hashlib import sha256
from time import monotonic
from typing import Final, cast

CHUNK: Final = 64 * 1024
SLOW_BUFFER: Final = 16 * 1024
TICK: Final = 0.05  # how often a slow reader reads


class DataEnd(asyncio.Protocol):
    """One data connection. `pace` is how many bytes a second it takes or gives; None: any."""

    def __init__(self, *, pace: int | None = None, keep: bool = False) -> None:
        self.moved = 0
        self.first_at: float | None = None
        self.last_at = 0.0  # of any progress; patience is counted from here
        self.error: Exception | None = None
        self.kept = bytearray()
        self._sha = sha256()
        self._pace = pace
        self._keep = keep
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._writable = asyncio.Event()
        self._transport: asyncio.Transport | None = None

    @property
    def digest(self) -> bytes:
        """The SHA-256 of what has come."""
        return self._sha.digest()

    async def first_byte(self) -> None:
        """Return when the first byte has come, or the end."""
        await self._first

    async def end(self, patience: float) -> None:
        """Return when the connection has ended; `error` tells whether it broke.

        Raises TimeoutError when nothing has moved for too long.
        """
        while not self._ended.done():
            left = self.last_at + patience - monotonic()
            if left <= 0:
                raise TimeoutError("data stopped moving")
            await asyncio.wait([self._ended], timeout=left)

    async def give(self, content: bytes, patience: float) -> None:
        """Send everything, close, and wait for the end. Raises TimeoutError as `end` does."""
        assert self._transport is not None
        started = monotonic()
        for at in range(0, len(content), self._chunk):
            async with asyncio.timeout(patience):
                await self._writable.wait()
            if self._ended.done():
                self.error = self.error or ConnectionError("closed before all was sent")
                return
            self._transport.write(content[at : at + self._chunk])
            self.moved += len(content[at : at + self._chunk])
            self.last_at = monotonic()
            if self._pace:
                await asyncio.sleep(max(0.0, started + self.moved / self._pace - monotonic()))
        self._transport.close()
        await self.end(patience)

    def close(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is of a class of its own
        self.last_at = monotonic()
        self._writable.set()
        if self._pace:
            # With the kernel's usual megabytes of buffer nobody would notice that we are slow.
            sock = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLOW_BUFFER)

    def data_received(self, data: bytes) -> None:
        """Note and digest."""
        self.last_at = monotonic()
        if self.first_at is None:
            self.first_at = self.last_at
            self._first.set_result(None)
        self.moved += len(data)
        self._sha.update(data)
        if self._keep:
            self.kept += data
        if self._pace:
            self._rest(len(data) / self._pace)

    def eof_received(self) -> bool:
        """Close our side too."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        self.error = exc
        self.last_at = monotonic()
        for future in (self._first, self._ended):
            if not future.done():
                future.set_result(None)
        self._writable.set()

    def pause_writing(self) -> None:
        """Hold `give` back."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Let `give` go on."""
        self.last_at = monotonic()
        self._writable.set()

    @property
    def _chunk(self) -> int:
        return min(CHUNK, max(512, int(self._pace * TICK))) if self._pace else CHUNK

    def _rest(self, seconds: float) -> None:
        assert self._transport is not None
        self._transport.pause_reading()
        asyncio.get_running_loop().call_later(seconds, self._read_on)

    def _read_on(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
