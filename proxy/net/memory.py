"""Ends of a relay that are in memory: bytes kept from before, and a target that keeps a copy.

They have what a relay asks of a socket, and decide nothing.
"""

from __future__ import annotations

import contextlib
import os
from types import TracebackType
from typing import Self

from .relay import Target


class Remembered:
    """A source that sends what was kept, then ends. A context manager."""

    def __init__(self, content: bytes) -> None:
        self._left = memoryview(content)
        # Always readable, as this source is.
        self._signal = os.eventfd(1, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._signal)

    def fileno(self) -> int:
        """Return a descriptor that is ready when this source is."""
        return self._signal

    def recv_into(self, buffer: memoryview) -> int:
        """Fill the buffer; 0 is the end."""
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


class Remembering:
    """A target that keeps a copy of what it sends; `content` is None once there is too much."""

    def __init__(self, sock: Target, most: int) -> None:
        self._sock = sock
        self._most = most
        self._copy = bytearray()
        self._is_whole = True

    @property
    def content(self) -> bytes | None:
        """All that was sent."""
        return bytes(self._copy) if self._is_whole else None

    def fileno(self) -> int:
        """Return the socket's own descriptor."""
        return self._sock.fileno()

    def send(self, data: bytes | memoryview) -> int:
        """Send, and keep what the kernel took."""
        count = self._sock.send(data)
        if self._is_whole:
            self._copy += data[:count]
            if len(self._copy) > self._most:
                self._is_whole = False
                with contextlib.suppress(BufferError):
                    self._copy.clear()
        return count
