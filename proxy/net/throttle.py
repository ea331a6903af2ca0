"""The clock and the timer of byte budgets: tells a transfer how much it may move, or when to ask.

Knows nothing of how bytes are moved: whoever moves them draws from a tap and gives back the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable

from proxy.shaping.bandwidth import Bandwidth, Flow

# Seconds between two looks while somebody waits: each look serves all who are due, and a bucket
# saves up for longer than that.
GRAIN = 0.005


class Throttle:
    """Hands out taps; one for the whole proxy."""

    def __init__(self, total: int | None, clock: Callable[[], float]) -> None:
        self._bandwidth = Bandwidth(total, clock())
        self._clock = clock
        self._callbacks: dict[Flow, Callable[[], None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0

    def tap(self, source: Hashable, rate: int | None, weight: float = 1.0) -> Tap | None:
        """Return the tap of one transfer of this source; None: nothing limits it."""
        if rate is None and not self._bandwidth.has_total:
            return None
        return Tap(self, self._bandwidth.join(source, rate, weight, self._clock()))

    def limit_total(self, total: int | None) -> None:
        """Change the total for all, running transfers with a tap included."""
        self._bandwidth.limit_total(total, self._clock())

    def draw(self, flow: Flow, then: Callable[[], None]) -> int:
        """Return the bytes that may move now; 0: `then` is called when it is worth drawing."""
        if granted := self._bandwidth.fetch(flow):
            return granted
        granted = self._bandwidth.ask(flow, self._clock())
        if not granted:
            self._callbacks[flow] = then
            self._arm()
        return granted

    def give_back(self, flow: Flow, unmoved: int) -> None:
        """Take back what was drawn and did not move."""
        if unmoved:
            self._bandwidth.refund(flow, unmoved)

    def leave(self, flow: Flow) -> None:
        """Forget a transfer and whatever it waits for. Twice does no harm."""
        self._callbacks.pop(flow, None)
        self._bandwidth.leave(flow)

    def _serve(self) -> None:
        self._timer = None
        try:
            while (flow := self._bandwidth.next_grant(self._clock())) is not None:
                self._callbacks.pop(flow)()
        finally:
            self._arm()  # the others must not wait for ever because one has failed

    def _arm(self) -> None:
        now = self._clock()
        moment = self._bandwidth.wake_at(now)
        if moment is None:
            return
        moment = max(moment, now + GRAIN)
        if self._timer is not None:
            if self._timer_at <= moment:
                return
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(moment - now, self._serve)
        self._timer_at = moment


class Tap:
    """One transfer's way to its bytes: `draw`, move, `give_back` the rest, and `close` at the end.

    What was drawn is paid. Draw anew for each turn, and give back the rest before the next one.
    """

    def __init__(self, throttle: Throttle, flow: Flow) -> None:
        self._throttle = throttle
        self._flow = flow

    @property
    def is_waiting(self) -> bool:
        """Tell whether it waits for its turn: then nothing has stalled, however long it takes."""
        return self._flow.is_waiting

    def draw(self, then: Callable[[], None]) -> int:
        """Return the bytes that may move now; 0: `then` is called when it is worth drawing."""
        return self._throttle.draw(self._flow, then)

    def give_back(self, unmoved: int) -> None:
        """Return what was drawn and did not move."""
        self._throttle.give_back(self._flow, unmoved)

    def close(self) -> None:
        """End: whatever was granted and not moved goes back, and nobody is called any more."""
        self._throttle.leave(self._flow)
