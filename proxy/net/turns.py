"""Turns of long relays: one after another, with a look at everything else between them.

Without it, one pass of the event loop moves a megabyte for every relay that is ready, and a control
connection waits for all of them. Decides nothing but the order, which is that of asking.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

# Of so many relays that are ready, one has its turn in each pass of the loop: with 10 relays a
# control connection waits for two of them, with 200 for 25.
SPREAD = 8


class Turns:
    """Calls whoever has asked, in order, a few in each pass of the loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked: deque[Callable[[], None]] = deque()
        self._is_due = False

    def ask(self, loop: asyncio.AbstractEventLoop, turn: Callable[[], None]) -> None:
        """Let `turn` be called once, soon."""
        if loop is not self._loop:  # whoever still waits was of a loop that is over
            self._loop, self._is_due = loop, False
            self._asked.clear()
        self._asked.append(turn)
        self._give_later()

    def _give_later(self) -> None:
        if self._asked and not self._is_due:
            assert self._loop is not None
            self._is_due = True
            self._loop.call_soon(self._give)

    def _give(self) -> None:
        self._is_due = False
        turns = [self._asked.popleft() for _ in range(-(-len(self._asked) // SPREAD))]
        self._give_later()
        for turn in turns:
            turn()


TURNS = Turns()
