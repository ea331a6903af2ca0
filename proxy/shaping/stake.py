"""What this instance may use of something that several instances share.

The store deals out amounts, not single slots: an instance owns so many and books them by itself.
Two numbers keep the sum of all instances below the limit, whatever becomes of a message:
  - what it owns falls when it says so, and rises only when the store has said so;
  - what it owns is a right until `lease` after it last reached the store, counted from when it
    asked. After that only its floor is left, which the store gives to nobody.
What is used is a fact that the store is told; no message can make it less. Pure: `now` is an
argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import Final

HEARTBEAT: Final = 1.0  # seconds between two calls when nothing is awaited
POLL: Final = 0.1  # while we need more, or others need what we give back
CROWD: Final = 200  # calls a second of all who wait together: the store has other things to do
# Seconds that an instance at least keeps what it needs itself before it lets others have a turn.
SHORTEST_STAY: Final = 1.0


class OnStoreDown(Enum):
    """What may be used while the store cannot be reached."""

    LOCAL_SHARE = "local_share"  # what we own for as long as it is ours for sure, then the floor
    CLOSED = "closed"  # nothing: everybody waits
    OPEN = "open"  # everything, as if we were alone: the sum may exceed the limit


@dataclass(frozen=True, slots=True)
class Terms:
    """What all stakes of an instance have in common; seconds."""

    lease: float
    lost: OnStoreDown


@dataclass(frozen=True, slots=True)
class Wish:
    """What an instance uses and would use; `weight` is how many sources it speaks for."""

    limit: int
    used: int
    need: int
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Claim:
    """What is told to the store: facts (`used`), rights we keep, and what we would have."""

    limit: int
    used: int
    keep: int
    need: int
    weight: float


@dataclass(frozen=True, slots=True)
class Award:
    """The store's answer."""

    own: int  # ours from now on
    limit: int  # the lowest limit that any instance believes in
    others: int  # what the other instances own
    target: int  # our fair share, while somebody is short
    short: int  # how many others have less than they need
    sharers: int = 1  # how many instances have called lately, we among them
    recovers: int = 0  # milliseconds for which nothing is dealt out: the store knows nothing yet
    unreadable: int = 0  # rows that none of us has written so, and that are gone now


class Stake:
    """One instance's part of one shared thing. All changes come from one thread."""

    def __init__(
        self, terms: Terms, *, floor: int = 0, instances: int = 1, patience: float = 0.0
    ) -> None:
        self._terms = terms
        self._floor = floor
        self._floors = floor * instances  # which the store must not deal out
        self.patience = patience
        self._own = 0
        self._own_since = -inf
        self._valid_until = -inf
        self._award = Award(own=0, limit=0, others=0, target=0, short=0)
        self._deals_from = -inf  # when the store knows enough to deal out
        self._need = 0
        self._limit = 0
        self._is_lost = False

    def allowed(self, now: float) -> int:
        """How many may be used now: whoever uses more must not begin another."""
        if self._is_lost:
            match self._terms.lost:
                case OnStoreDown.OPEN:
                    return self._limit
                case OnStoreDown.CLOSED:
                    return 0
                case OnStoreDown.LOCAL_SHARE:
                    pass
        own = min(self._own, self._award.target) if self._yields(now) else self._own
        return self._floor + (own if self.is_valid(now) else 0)

    def exceeds(self, used: int, now: float) -> bool:
        """Tell whether so many are more than what is ours for sure."""
        return used > self._floor + (self._own if self.is_valid(now) else 0)

    def is_valid(self, now: float) -> bool:
        """Tell whether what we own is still ours for sure."""
        return now < self._valid_until

    def is_left_alone(self, now: float) -> bool:
        """Tell whether less than the limit may be used because the store cannot be reached."""
        return self._is_lost and self.allowed(now) < self._limit

    def deals_nothing_for(self, now: float) -> float:
        """Seconds for which the store deals nothing out: it is new, or has lost its memory."""
        return max(0.0, self._deals_from - now)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is owned and nothing was asked for."""
        return not self._own and not self._need

    @property
    def valid_until(self) -> float:
        """Until when what we own is ours for sure."""
        return self._valid_until

    @property
    def others(self) -> int:
        """What the other instances own, as last heard."""
        return self._award.others

    @property
    def limit(self) -> int:
        """The limit that the store was last told."""
        return self._limit

    def agreed(self, limit: int) -> int:
        """Return this limit, or the lowest that any instance goes by, as last heard."""
        if self._valid_until == -inf:
            return limit
        return max(1, min(limit, self._award.limit + self._floors))

    @property
    def target(self) -> int:
        """What we may come to own while others want some too."""
        return self._floor + self._award.target

    @property
    def is_contended(self) -> bool:
        """Tell whether others have less than they need, or all have more than there is."""
        award = self._award
        return award.short > 0 or award.own + award.others > award.limit

    @property
    def is_dealt_out(self) -> bool:
        """Tell whether nothing is left that nobody owns, as last heard."""
        return self._award.own + self._award.others >= self._award.limit

    def pace(self, now: float) -> float:
        """Seconds to the next call: few if its answer is awaited, by us or by others for what we
        give back."""
        if self._is_lost:
            return POLL
        if self._need <= self._own and not self._yields(now):
            return HEARTBEAT
        return min(HEARTBEAT, max(POLL, self._award.sharers / CROWD))

    def has_risen(self, wish: Wish) -> bool:
        """Tell whether more is needed than the store was told, and than we own."""
        return self._need_of(wish) > max(self._need, self._own)

    def claim(self, wish: Wish, now: float) -> Claim:
        """Make the next message. What it no longer keeps is ours no more, answered or not."""
        self._limit = wish.limit
        used = self._beyond_floor(wish.used)
        self._need = self._need_of(wish)
        if not self.is_valid(now):
            self._own = 0  # others may own it by now
        elif not self._is_lost:  # else it is all we have for a while
            bound = self._award.target if self._yields(now) else self._need
            self._own = min(self._own, max(used, bound))
        return Claim(self._limit_of(wish), used, self._own, self._need, wish.weight)

    def awarded(self, award: Award, claim: Claim, asked_at: float) -> None:
        """Take the answer to a claim that was sent at `asked_at`.

        A store that says more than was asked for is not believed.
        """
        own = max(0, min(award.own, max(claim.used, claim.keep, claim.need)))
        if own and not self._own:
            self._own_since = asked_at
        self._own = own
        self._award = award
        self._valid_until = asked_at + self._terms.lease
        self._deals_from = asked_at + award.recovers / 1000
        self._is_lost = False

    def lost(self) -> None:
        """The store could not be reached."""
        self._is_lost = True

    def _limit_of(self, wish: Wish) -> int:
        return max(0, wish.limit - self._floors)

    def _need_of(self, wish: Wish) -> int:
        return min(self._beyond_floor(wish.need), self._limit_of(wish))

    def _beyond_floor(self, amount: int) -> int:
        return max(0, amount - self._floor)

    def _yields(self, now: float) -> bool:
        """Tell whether we own more than our share while others are short.

        Who needs it itself keeps it for a while: where a change of hands is dear, all have a turn
        within `patience`, rather than each a moment.
        """
        award = self._award
        if not self.is_contended or award.target >= self._own:
            return False
        if self._need <= award.target or not self.patience:
            return True
        stay = SHORTEST_STAY
        if award.target == 0:  # there is less than one for each: taking turns
            stay = max(stay, self.patience * award.limit / (award.short + 1))
        return now >= self._own_since + stay
