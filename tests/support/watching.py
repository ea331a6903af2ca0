"""Watch a namespace while a test runs: flows by the kernel's own events, sockets by sampling."""

from __future__ import annotations

import time
from collections.abc import Callable

from loadtest.lab.flows import FlowCounter
from loadtest.lab.watcher import Watcher

from .namespaces import Namespace


class FlowWatch(FlowCounter):
    """What a firewall that tracks connections counts, from the entry of the block to its exit.

    Only flows that `source` began. Flows older than the watch are not counted.
    """

    def __init__(self, namespace: Namespace, source: str) -> None:
        super().__init__(namespace.side, limit=1_000_000)
        self._source = source

    @property
    def flows(self) -> int:
        """How many flows there have been."""
        return len(self.opened(self._source))


class Sampler(Watcher):
    """Ask for a number again and again while the block runs, and keep the largest."""

    def __init__(self, ask: Callable[[], int], every: float = 0.02) -> None:
        super().__init__(every)
        self._ask = ask
        self.most = 0
        self.samples: list[tuple[float, int]] = []  # (monotonic time, number)

    def look(self) -> None:
        """Ask once."""
        found = self._ask()
        self.most = max(self.most, found)
        self.samples.append((time.monotonic(), found))
