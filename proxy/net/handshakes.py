"""Handshakes take turns: one computes in each pass of the loop, with a look at all else between.

A handshake computes for a millisecond (RSA-2048) or for five (RSA-4096), and clients come in
crowds: without it, one pass of the loop shook hands with fifty while everybody else waited for all
of them (measured). Decides nothing but the order, which is that of asking.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable


class Handshakes:
    """Calls whoever asks: the first in a pass of the loop at once, the others in the next ones."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked: deque[Callable[[], None]] = deque()
        self._is_taken = False  # this pass of the loop

    def go_on(self, loop: asyncio.AbstractEventLoop, handshake: Callable[[], None]) -> bool:
        """Call `handshake` now, or once in a later pass; False: later."""
        if loop is not self._loop:  # whoever still waits was of a loop that is over
            self._loop, self._is_taken = loop, False
            self._asked.clear()
        if self._is_taken:
            self._asked.append(handshake)
            return False
        self._take(loop)
        handshake()
        return True

    def _take(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_taken = True
        loop.call_soon(self._next, loop)

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_taken = False
        if self._asked:
            self._take(loop)
            self._asked.popleft()()


HANDSHAKES = Handshakes()
