"""Old places in the queue, kept for those who gave up and come back. Pure: time is an argument.

curl --retry and cron loops ask for the same thing again and again; without their old place they
would start at the end each time and might never be served.
"""

from __future__ import annotations

from collections import OrderedDict

MOST_PLACES = 10_000

Errand = tuple[str, bytes]  # who, and what for


class StickyPlaces:
    """Remembers the queue's tag of each errand for `memory` seconds."""

    def __init__(self, memory: float) -> None:
        self.memory = memory
        self._places: OrderedDict[Errand, tuple[float, float]] = OrderedDict()  # (tag, until)

    def keep(self, errand: Errand, tag: float, now: float) -> None:
        """Remember the place of one who leaves unserved."""
        self._places[errand] = (tag, now + self.memory)
        self._places.move_to_end(errand)
        if len(self._places) > MOST_PLACES:
            self._places.popitem(last=False)

    def take(self, errand: Errand, now: float) -> float | None:
        """Return the old tag of one who comes back, once; None for a newcomer."""
        tag, until = self._places.pop(errand, (0.0, now))
        return tag if now < until else None
