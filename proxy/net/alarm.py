"""The timer of many short waits: a timer for each would cost more than the wait itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

EARLY = 0.002  # seconds by which a timer may ring before its time
LATE = 0.5  # by which it may ring after it, else we stood still: what came meanwhile is read first
AGAIN = 0.05  # seconds to read it


class Alarm:
    """Calls `ring` once its deadline has passed. Setting it anew costs next to nothing: the handle
    of an earlier wait is kept, and looks at the deadline when it is called too early."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring: Callable[[], None] | None = ring
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.TimerHandle | None = None
        self._deadline: float | None = None

    def set(self, patience: float) -> None:
        """Ring after so many seconds, and not at any earlier deadline."""
        deadline = self._deadline = self._loop.time() + patience
        if self._handle is None or self._handle.when() > deadline:
            self._wait_until(deadline)

    def clear(self) -> None:
        """Do not ring."""
        self._deadline = None

    def stop(self) -> None:
        """Never ring again, and keep nothing: `ring` may refer to whoever keeps this alarm, and a
        circle would wait for the collector."""
        self.clear()
        self._ring = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _wait_until(self, deadline: float) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._handle = self._loop.call_at(deadline, self._look)

    def _look(self) -> None:
        self._handle = None
        if self._deadline is None:
            return
        now = self._loop.time()
        if self._deadline > now + EARLY:
            self._wait_until(self._deadline)  # the handle was that of an earlier wait
        elif self._deadline < now - LATE:
            self.set(AGAIN)
        else:
            self._deadline = None
            if self._ring is not None:
                self._ring()
