"""Simulated time: what happens when, in order."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count


class Agenda:
    """A clock, and what is still to come. Seconds."""

    def __init__(self) -> None:
        self.now = 0.0
        self._coming: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    def clock(self) -> float:
        """Tell the time."""
        return self.now

    def after(self, delay: float, deed: Callable[[], None]) -> None:
        """Do something in so many seconds."""
        heapq.heappush(self._coming, (self.now + max(0.0, delay), next(self._order), deed))

    def run_until(self, end: float) -> None:
        """Let everything happen that is due before the end."""
        while self._coming and self._coming[0][0] <= end:
            self.now, _, deed = heapq.heappop(self._coming)
            deed()
        self.now = end
