"""For how long a server has said nothing at all, though it was asked. Pure: `now` is an argument.

A server whose processes hang acknowledges all the same what it is sent: to TCP it is well. That one
answer is slow proves nothing; that nobody gets any does.
"""

from __future__ import annotations

LONGEST_STEP = 1.0  # seconds that count between two looks: in a longer gap we stood still


class Hush:
    """One server's. To be looked at often: what it tells is what the looks saw."""

    def __init__(self) -> None:
        self._replies = 0
        self._looked_at = 0.0
        self._lasts = 0.0

    def lasts(self, now: float, replies: int, *, is_asked: bool) -> float:
        """Return for how many seconds nobody has got one of its `replies` (all there have been so
        far) while an answer was owed to somebody."""
        if is_asked and replies == self._replies:
            self._lasts += min(now - self._looked_at, LONGEST_STEP)
        else:
            self._lasts = 0.0
        self._replies, self._looked_at = replies, now
        return self._lasts
