"""What the firewall counts: the truth that all the proxies' books are about."""

from __future__ import annotations

import heapq


class Firewall:
    """Connections open and in TIME_WAIT, whoever opened them. Seconds."""

    def __init__(self, limit: int, hold: float) -> None:
        self.limit = limit
        self.hold = hold
        self._open = 0
        self._cooling: list[float] = []
        self.most = 0
        self.opened = 0
        self.above = 0  # openings that found the limit reached

    def count(self, now: float) -> int:
        """Tell how many it counts."""
        while self._cooling and self._cooling[0] <= now:
            heapq.heappop(self._cooling)
        return self._open + len(self._cooling)

    def open(self, now: float) -> None:
        """A connection begins."""
        self._open += 1
        self.opened += 1
        found = self.count(now)
        self.most = max(self.most, found)
        self.above += found > self.limit

    def close(self, now: float) -> None:
        """A connection ends."""
        self._open -= 1
        heapq.heappush(self._cooling, now + self.hold)
