"""Wakes the gate when time alone may let somebody go on: one timer for all who wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

EARLY = 0.001  # uvloop's timers may fire a millisecond early: the clock is asked again


class Bell:
    """Calls `ring` once, at the earliest of the moments it was told since it rang last."""

    def __init__(self, clock: Callable[[], float], ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._timer: asyncio.TimerHandle | None = None
        self._moment = 0.0

    @property
    def is_set(self) -> bool:
        """Tell whether it is going to ring."""
        return self._timer is not None

    def at(self, moment: float | None) -> None:
        """Ring then (on the clock), unless it rings earlier anyway; None: no need."""
        if moment is None or (self._timer is not None and self._moment <= moment):
            return
        if self._timer is not None:
            self._timer.cancel()
        delay = max(0.0, moment - self._clock()) + EARLY
        self._timer = asyncio.get_running_loop().call_later(delay, self._rings)
        self._moment = moment

    def _rings(self) -> None:
        self._timer = None
        self._ring()
