"""Watch a namespace while a test runs: flows by the kernel's own events, sockets by sampling."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from loadtest.lab.flows import FlowCounter

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


class Sampler:
    """Ask for a number again and again while the block runs, and keep the largest."""

    def __init__(self, ask: Callable[[], int], every: float = 0.02) -> None:
        self._ask = ask
        self._every = every
        self._over = threading.Event()
        self._error: Exception | None = None
        self.most = 0
        self.samples: list[tuple[float, int]] = []  # (monotonic time, number)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        # A sampler that died early must not look like one that saw nothing.
        if self._error is not None and error is None:
            raise self._error

    def _sample(self) -> None:
        try:
            last = False
            while not last:
                last = self._over.wait(self._every)  # and once more after the end
                found = self._ask()
                self.most = max(self.most, found)
                self.samples.append((time.monotonic(), found))
        except Exception as error:  # raised again where the block ends
            self._error = error
