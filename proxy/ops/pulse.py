"""The pulse: sees twice a second how late the loop wakes up, and once a second how full it is.

Bounded; it reads counts and changes nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from .metrics.tally import Tally
from .watched import Server, every_way

BEAT: Final = 0.5  # seconds
REMEMBERED: Final = 15 * 60  # seconds


@dataclass(frozen=True, slots=True)
class Sample:
    """How full it was at a moment, over all servers and egress addresses."""

    at: float  # seconds since 1970
    open: int
    cooling: int
    limit: int
    waiting: int


class Pulse:
    """Beats from `start` to `stop`."""

    def __init__(
        self,
        servers: Callable[[], Sequence[Server]],
        tally: Tally,
        wall_clock: Callable[[], float],
    ) -> None:
        self._servers = servers
        self._tally = tally
        self._wall_clock = wall_clock
        self._history: deque[Sample] = deque(maxlen=REMEMBERED)
        self._handle: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._beats = 0

    @property
    def history(self) -> tuple[Sample, ...]:
        """What it was like, a sample for each second, the oldest first."""
        return tuple(self._history)

    def start(self) -> None:
        """Begin with a sample of now."""
        self._due = asyncio.get_running_loop().time()
        self._beat()

    def stop(self) -> None:
        """End; nothing is left behind."""
        if self._handle is not None:
            self._handle.cancel()

    def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._tally.observe("loop_lag_seconds", max(0.0, now - self._due))
        if self._beats % 2 == 0:
            self._history.append(self._sample())
        self._beats += 1
        self._due = now + BEAT
        self._handle = loop.call_at(self._due, self._beat)

    def _sample(self) -> Sample:
        servers = self._servers()
        budgets = [egress.budget for egress in every_way(servers)]
        is_open = sum(budget.open for budget in budgets)
        return Sample(
            at=self._wall_clock(),
            open=is_open,
            cooling=sum(budget.used for budget in budgets) - is_open,
            limit=sum(budget.limit for budget in budgets),
            waiting=sum(server.gate.waiting for server in servers),
        )
