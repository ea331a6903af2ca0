"""The firewall's budget as everybody here asks for it: the ledger, the clock and the holds.

One writer: every slot is booked and settled here, in one loop, with no await between question and
answer.
"""

from __future__ import annotations

from collections.abc import Callable

from proxy.events import Announce, BanSuspected, ShadowWait
from proxy.shaping.ban import BanWatch
from proxy.shaping.burst import Burst
from proxy.shaping.holds import Ending
from proxy.shaping.ledger import Kind, Ledger, Slot
from proxy.shaping.stake import Stake, Wish
from proxy.shaping.tolerance import Enforce, Tolerance

from .journal import Journal, Remembered
from .share import Share

OPEN_AT_FIRST = 1.0  # seconds a connection is assumed to stay open until some were seen
# Slots that come back sooner than this (seconds) need no rule against bursts: a fair queue will do.
SHORT = 3.0
# Slots kept at hand beyond those that are needed now, while no other instance is short of them:
# what is used goes up and down, and not each time should a transfer wait for the store's answer.
AT_HAND = 2
AT_HAND_PART = 10  # and one for so many that are used
# Added to each hold in the store: what is cut off when a lease ends takes a moment to be gone.
SLACK = 2.0


class Budget:
    """Slots of one egress address. Seconds throughout."""

    def __init__(
        self,
        tolerance: Tolerance,
        *,
        clock: Callable[[], float],
        announce: Announce,
        journal: Journal | None = None,
        share: Share | None = None,
    ) -> None:
        self._tolerance = tolerance
        self._ledger = Ledger(tolerance.limit)
        self._clock = clock
        self._announce = announce
        self._journal = journal
        self._share = share
        self._burst = Burst()
        self._ban = BanWatch(tolerance.limit, tolerance.longest_hold)
        self._typical_open = OPEN_AT_FIRST
        self._typical_hold = tolerance.usual_hold
        self._rouse: Callable[[], None] = lambda: None  # nobody waits yet
        self._wanted: Callable[[], tuple[int, float]] = lambda: (0, 1.0)
        self.beyond_share = 0  # slots booked that other instances may have booked as well
        if share is not None:
            share.setting = "budget.connections"
            share.serve(self._wish, lambda: self._rouse(), self._all_free_in)
        self.adopt(tolerance)
        if journal is not None:
            self._recall(journal)

    def serve(self, rouse: Callable[[], None], wanted: Callable[[], tuple[int, float]]) -> None:
        """Call `rouse` whenever slots may be free; `wanted` tells how many more could be used by
        those who wait, and for whose weight."""
        self._rouse, self._wanted = rouse, wanted

    def adopt(self, tolerance: Tolerance) -> None:
        """Go on by other rules; what is used stays used, what cools keeps the hold it began with.

        Above a smaller limit nothing is booked until enough slots have come free.
        """
        before, self._tolerance = self._tolerance, tolerance
        if (tolerance.holds, tolerance.guard) != (before.holds, before.guard):
            self._typical_hold = tolerance.usual_hold
        self._ban.adopt(tolerance.limit, tolerance.longest_hold)
        self._ledger.resize(self._ban.limit)
        if self._share is not None:
            self._share.hold = self.longest_hold + SLACK

    def reserve(self, kind: Kind, source: str, *, spare: int = 0) -> Slot | None:
        """Book a slot before the SYN is sent; None while the budget (less `spare`) is used up,
        or while this source has taken more than its share of what is free."""
        if not self.admits(kind, source, spare=spare):
            return None
        return self.book(kind, source, spare=spare)

    def admits(self, kind: Kind, source: str, *, spare: int = 0) -> bool:
        """Tell whether `reserve` would succeed now."""
        return not self.enforced or self._admits(kind, source, self._clock(), spare)

    def book(self, kind: Kind, source: str, *, spare: int = 0) -> Slot:
        """Book a slot that `admits` has granted in this very step."""
        now = self._clock()
        if self._tolerance.enforce is Enforce.SHADOW and not self._admits(kind, source, now, spare):
            wait = self._ledger.eta(1 + spare, now, self.typical)
            self._announce(ShadowWait(source, kind.value, wait))
        if self._is_paced(kind):
            held, used = self._ledger.held(source, now), self._taken(now)
            self._burst.took(held, used, self.limit, now, self.interval)
        if self._share is not None and self._share.stake.exceeds(self._ledger.used(now) + 1, now):
            self.beyond_share += 1
        slot = self._ledger.force(kind, source, now)
        if self._journal is not None:
            self._journal.opened(slot.id, kind, now)
        return slot

    def has_room(self, spare: int) -> bool:
        """Tell whether anybody's `reserve` could succeed now."""
        if not self.enforced:
            return True
        now = self._clock()
        return not self._is_full(now, spare) and not self._ban.until(now)

    def is_held_back(self, spare: int) -> bool:
        """Tell whether slots are left, and only the state file has no room for one more."""
        now = self._clock()
        has_slots = self._ledger.used(now) + spare < self._ledger.limit
        return has_slots and not (self._journal is None or self._journal.has_room(1 + spare, now))

    def _admits(self, kind: Kind, source: str, now: float, spare: int) -> bool:
        if self._is_full(now, spare) or self._ban.until(now) is not None:
            return False
        return not self._is_paced(kind) or self._burst_wait(source, now) == 0.0

    def _is_full(self, now: float, spare: int) -> bool:
        """Tell whether no slot is left; where the store may have more, it is asked for them."""
        used = self._ledger.used(now) + spare
        if used >= self._ledger.limit:
            return True
        if self._journal is not None and not self._journal.has_room(1 + spare, now):
            return True  # what cannot be remembered is not begun
        if self._share is None or used < self._share.stake.allowed(now):
            return False
        self._share.ask()
        return True

    def _burst_wait(self, source: str, now: float) -> float:
        held = self._ledger.held(source, now)
        return self._burst.wait(held, self._taken(now), self.limit, now)

    def _taken(self, now: float) -> int:
        """Count what is not free, whichever instance has it."""
        others = self._share.stake.others if self._share is not None else 0
        return self._ledger.used(now) + others

    def _all_free_in(self) -> float:
        now = self._clock()
        return self._ledger.last_free(now) - now

    def _wish(self) -> Wish:
        """Tell the store what we use and need."""
        assert self._share is not None
        used = self._ledger.used(self._clock())
        more, weight = self._wanted()
        if (used or more) and not self._share.stake.is_contended:
            more += AT_HAND + used // AT_HAND_PART
        return Wish(self._ledger.limit, used, used + more, weight)

    def _is_paced(self, kind: Kind) -> bool:
        return kind is not Kind.CONTROL and self._typical_hold >= SHORT

    def settle(self, slot: Slot, ending: Ending) -> None:
        """The socket is really gone: from now on the slot cools, as long as its end costs."""
        now = self._clock()
        hold = self._tolerance.hold(slot.kind, ending)
        self._typical_open += 0.1 * (now - slot.since - self._typical_open)
        if slot.kind is not Kind.CONTROL:
            self._typical_hold += 0.1 * (hold - self._typical_hold)
            self._learn(ending, now)
        self._ledger.close(slot, now, hold)
        if self._journal is not None:
            self._journal.closed(slot.id, now + hold)
        self._rouse()

    def cancel(self, slot: Slot) -> None:
        """No SYN was sent for this slot: it is free at once."""
        self._ledger.cancel(slot)
        if self._journal is not None:
            self._journal.cancelled(slot.id)
        self._rouse()

    def close(self) -> None:
        """Save the ledger; nothing is booked any more."""
        if self._journal is not None:
            self._journal.close()

    @property
    def enforced(self) -> bool:
        """Tell whether anybody waits for this budget."""
        return self._tolerance.enforce is Enforce.ON

    @property
    def limit(self) -> int:
        """The slots that may be used: the configured ones, fewer after a suspected ban or where
        another instance goes by fewer."""
        limit = self._ledger.limit
        return limit if self._share is None else self._share.stake.agreed(limit)

    @property
    def stake(self) -> Stake | None:
        """What is this instance's of it; None: all of it."""
        return self._share.stake if self._share is not None else None

    @property
    def banned_for(self) -> float:
        """Seconds for which nothing is tried because a ban is suspected; 0.0: none is."""
        now = self._clock()
        return (self._ban.until(now) or now) - now

    @property
    def longest_hold(self) -> float:
        """The longest that any closed connection may count."""
        return self._tolerance.longest_hold

    @property
    def typical(self) -> float:
        """Mean seconds that a connection is open and then held."""
        return self._typical_open + self._typical_hold

    @property
    def used(self) -> int:
        """Slots open or cooling now."""
        return self._ledger.used(self._clock())

    @property
    def taken(self) -> int:
        """Slots that are not free, those of other instances included."""
        return self._taken(self._clock())

    @property
    def is_lowered(self) -> bool:
        """Tell whether another instance goes by fewer slots than we would."""
        return self.limit < self._ledger.limit

    @property
    def open(self) -> int:
        """Slots open now."""
        return self._ledger.open

    @property
    def adds_up(self) -> bool:
        """Tell whether the books are in order; False is a mistake of ours."""
        return self._ledger.adds_up

    def held(self, source: str) -> int:
        """Slots that one source holds now, open or cooling."""
        return self._ledger.held(source, self._clock())

    def next_chance(self, kind: Kind, source: str, *, spare: int = 0) -> float | None:
        """When (on the clock) `reserve` may next succeed for such a one; None: not by time alone.

        A moment in which it fails again only leads to the next question.
        """
        now = self._clock()
        if (banned := self._ban.until(now)) is not None:
            return banned
        if self._is_full(now, spare):
            return self._ledger.next_free(now)
        return now + (self._burst_wait(source, now) if self._is_paced(kind) else 0.0)

    def next_free(self) -> float | None:
        """When (on the clock) the next cooling slot is free; None: none is cooling."""
        return self._ledger.next_free(self._clock())

    def pace(self, source: str) -> float:
        """Seconds between two turns of a source that has had its share of what is free; else 0."""
        paced = self._typical_hold >= SHORT and self._burst_wait(source, self._clock())
        return self.interval if paced else 0.0

    def eta(self, place: int, *, spare: int = 0) -> float:
        """Seconds until the one in this place (from 1) of the queue gets a slot."""
        now = self._clock()
        if self._share is None:
            return self._ledger.eta(place + spare, now, self.typical)
        # What the others will do is not known: an estimate, in the long run right.
        if self._taken(now) + spare + place <= self.limit:
            return 0.0
        return (place + spare) * self.typical / max(1, self._share.stake.target)

    @property
    def interval(self) -> float:
        """Mean seconds between two slots, in the long run."""
        return self.typical / self.limit

    def _learn(self, ending: Ending, now: float) -> None:
        """Tell the ban watch how the firewall treats us; follow the limit it believes in."""
        if not self.enforced or ending is Ending.ABANDONED:
            return  # what was not waited for says nothing
        if ending is not Ending.UNANSWERED:
            if self._ban.answered(now):
                self._ledger.resize(self._ban.limit)
        elif self._ban.unanswered(now):
            self._ledger.resize(self._ban.limit)
            pause = (self._ban.until(now) or now) - now
            self._announce(BanSuspected(pause, self._ban.limit))

    def _recall(self, journal: Journal) -> None:
        """Book again what an earlier process left; what it had open counts as closed now.

        The kernel closed it when that process died, which was sooner: too late is the safe side.
        """
        now = self._clock()
        remembered = journal.remembered
        if remembered is None:
            everything = now + self.longest_hold
            remembered = [Remembered(Kind.DOWNLOAD, everything)] * self._ledger.limit
        for one in remembered:
            # How it ended nobody saw: the costliest end is assumed.
            hold = max(self._tolerance.hold(one.kind, ending) for ending in Ending)
            until = now + hold if one.until is None else min(one.until, now + self.longest_hold)
            if until > now:
                slot = self._ledger.force(one.kind, "", now)
                journal.opened(slot.id, one.kind, now)
                self._ledger.close(slot, now, until - now)
                journal.closed(slot.id, until)
        journal.start(now)
