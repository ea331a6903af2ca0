"""Suspects a ban: data connections met by silence while the control connection still answers. Pure.

A firewall that bans drops packets without a word, and some (xt_recent with --update) start their
count anew at each attempt: whoever goes on trying is never let in again. So after a few silences in
a row nothing is tried for a whole hold; then half the budget must do, and it grows by one slot for
each hold without another silence (as TCP does after a loss).
"""

from __future__ import annotations

SILENCES = 3  # in a row: one or two may be lost packets


class BanWatch:
    """What is believed of the firewall; times are seconds of one monotonic clock."""

    def __init__(self, limit: int, hold: float) -> None:
        self._full = limit
        self._limit = limit
        self._hold = hold
        self._silences = 0
        self._until = 0.0
        self._grow_at = 0.0
        self.bans = 0

    def adopt(self, limit: int, hold: float) -> None:
        """Believe in another budget; what a suspected ban took from the limit stays taken."""
        self._limit = limit if self._limit == self._full else min(self._limit, limit)
        self._full, self._hold = limit, hold

    @property
    def limit(self) -> int:
        """The slots that may be used."""
        return self._limit

    def until(self, now: float) -> float | None:
        """When connections may be tried again; None: now."""
        return self._until if now < self._until else None

    def unanswered(self, now: float) -> bool:
        """A connection met silence; True when that makes a ban suspected."""
        if now < self._until:
            return False  # begun before the ban was suspected: it tells nothing new
        self._silences += 1
        self._grow_at = now + self._hold
        if self._silences < SILENCES:
            return False
        self._silences = 0
        self.bans += 1
        self._limit = max(1, self._limit // 2)
        self._until = now + self._hold
        self._grow_at = self._until + self._hold
        return True

    def answered(self, now: float) -> bool:
        """A connection came about; True when the limit has grown."""
        self._silences = 0
        if self._limit >= self._full or now < self._grow_at:
            return False
        self._limit += 1
        self._grow_at = now + self._hold
        return True
