"""Failed logins, counted per source and forgotten after a while. Pure: time is an argument."""

from __future__ import annotations

from collections import OrderedDict

MOST_SOURCES = 10_000  # the oldest are forgotten first: memory is bounded under attack


class Attempts:
    """Counts failures of each source within the last `memory` seconds since its latest one."""

    def __init__(self, memory: float) -> None:
        self.memory = memory
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def failed(self, source: str, now: float) -> int:
        """Note one more failure; return how many there are."""
        count = self.count(source, now) + 1
        self._failures[source] = (count, now)
        self._failures.move_to_end(source)
        if len(self._failures) > MOST_SOURCES:
            self._failures.popitem(last=False)
        return count

    def succeeded(self, source: str) -> None:
        """Forgive: the right password was given."""
        self._failures.pop(source, None)

    def count(self, source: str, now: float) -> int:
        """Return how many failures are remembered of this source."""
        count, latest = self._failures.get(source, (0, 0.0))
        if count and now - latest >= self.memory:
            del self._failures[source]
            return 0
        return count

    def forgotten_in(self, source: str, now: float) -> float:
        """Return in how many seconds the source's failures are forgotten."""
        _, latest = self._failures.get(source, (0, now - self.memory))
        return max(0.0, latest + self.memory - now)
