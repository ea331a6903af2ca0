"""A part of something shared, as the test has the store give it."""

from __future__ import annotations

from proxy.shaping.stake import Award, OnStoreDown, Stake, Terms, Wish
from proxy.store.share import Share


class Part:
    """Its share, and how often more was asked for. `now` is the time at which things are given."""

    def __init__(
        self, limit: int, *, now: float = 0.0, lost: OnStoreDown = OnStoreDown.LOCAL_SHARE
    ) -> None:
        self.asked = 0
        self.is_begun = False
        self.stake = Stake(Terms(60.0, lost))
        self.share = Share("part", self.stake, self, hold=0.0)
        self._limit, self._now = limit, now

    def begin(self, share: Share) -> None:
        self.is_begun = True

    def ask(self, share: Share) -> None:
        self.asked += 1

    def drop(self, share: Share) -> None:
        self.is_begun = False

    def give(self, own: int, *, others: int = 0, short: int = 0, limit: int | None = None) -> None:
        """Let the store say that we own so much of it; `limit` is the lowest that any goes by."""
        claim = self.stake.claim(Wish(self._limit, 0, self._limit), self._now)
        award = Award(own, limit or self._limit, others, own, short)
        self.stake.awarded(award, claim, self._now)
