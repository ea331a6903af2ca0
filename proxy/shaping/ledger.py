"""Who holds a slot of the firewall's budget: open connections, and closed ones that still count.

Exact, not a rate: a slot is used from before its SYN until its hold after the close is over, and
one more is admitted only while fewer than `limit` are used. Pure: `now` is an argument (seconds of
a monotonic clock that never steps back); it never waits, and never guesses how long a hold is.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from enum import StrEnum
from itertools import count


class Kind(StrEnum):
    """What a slot is used for; kinds are held for different times after the close."""

    DOWNLOAD = "download"
    UPLOAD = "upload"
    LISTING = "listing"
    CONTROL = "control"


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """One connection in the ledger's eyes, equal only to itself. Its state is the ledger's."""

    id: int
    kind: Kind
    source: str
    since: float


class Ledger:
    """The slots of one budget. All changes come from one thread, with no await between them."""

    def __init__(self, limit: int) -> None:
        self._open: dict[int, Slot] = {}
        # (expiry, id, source): a heap, not a line, because each kind has its own hold.
        self._cooling: list[tuple[float, int, str]] = []
        self._held: dict[str, int] = {}
        self._ids = count(1)
        self.limit = limit  # how many may be used at once; changed by `resize`
        self.resize(limit)

    @property
    def open(self) -> int:
        """Count the slots whose connection is alive, or about to be."""
        return len(self._open)

    def cooling(self, now: float) -> int:
        """Count the slots that are closed but still counted by the firewall."""
        self._expire(now)
        return len(self._cooling)

    def used(self, now: float) -> int:
        """Count every slot that is not free; above `limit` only after a shrink or a `force`."""
        self._expire(now)
        return len(self._open) + len(self._cooling)

    @property
    def adds_up(self) -> bool:
        """Tell whether the slots of all sources together are those open and cooling."""
        return sum(self._held.values()) == len(self._open) + len(self._cooling)

    def held(self, source: str, now: float) -> int:
        """Count the slots of one source, open and cooling."""
        self._expire(now)
        return self._held.get(source, 0)

    def reserve(self, kind: Kind, source: str, now: float, *, spare: int = 0) -> Slot | None:
        """Take a slot, leaving `spare` ones free for others. None means there is none to take.

        To be asked before the SYN is sent, and again at each wake-up: a timer may fire early.
        """
        if self.used(now) + spare >= self.limit:
            return None
        return self.force(kind, source, now)

    def force(self, kind: Kind, source: str, now: float) -> Slot:
        """Book a slot without asking; this may exceed the limit.

        For budgets that are only watched, and for slots that an earlier run left behind.
        """
        slot = Slot(next(self._ids), kind, source, now)
        self._open[slot.id] = slot
        self._held[source] = self._held.get(source, 0) + 1
        return slot

    def close(self, slot: Slot, now: float, hold: float) -> None:
        """Let an open slot cool until `now + hold`; with no hold it is free at once.

        `now` is when the descriptor was really gone, not when its close was asked for: the
        firewall's own clock starts no earlier. ValueError if the slot is not open.
        """
        self._leave_open(slot)
        self._expire(now)  # a ledger that is never asked must not grow either
        heapq.heappush(self._cooling, (now + hold, slot.id, slot.source))

    def cancel(self, slot: Slot) -> None:
        """Free an open slot at once: no SYN was ever sent. ValueError if the slot is not open."""
        self._leave_open(slot)
        self._release(slot.source)

    def next_free(self, now: float) -> float | None:
        """Tell at which instant the next cooling slot expires. None means none is cooling."""
        self._expire(now)
        return self._cooling[0][0] if self._cooling else None

    def last_free(self, now: float) -> float:
        """Tell at which instant the last cooling slot expires; `now` if none is cooling."""
        self._expire(now)
        return max((expiry for expiry, _, _ in self._cooling), default=now)

    def eta(self, k: int, now: float, typical: float) -> float:
        """Tell in how many seconds the k-th waiter (from 1) gets a slot; 0.0 means at once.

        Exact while cooling slots suffice, and then late only if an open slot is freed before them.
        Beyond them it is an estimate: `typical` is how long a slot is used on average, its hold
        included. Who must leave spare slots asks for the place `k + spare`.
        """
        rounds, place = divmod(k - 1, self.limit)
        turn = self._turn(place, now, typical)
        if rounds == 0:
            return turn
        # Those served first come round again; a later round never starts before the last one ended.
        last = self._turn(self.limit - 1, now, typical)
        return max(turn + rounds * typical, last + (rounds - 1) * typical)

    def resize(self, limit: int) -> None:
        """Change the limit. A lower one ends nothing: what is above it goes by attrition."""
        if limit < 1:
            raise ValueError(f"a budget needs at least one slot, not {limit}")
        self.limit = limit

    def _turn(self, place: int, now: float, typical: float) -> float:
        """Tell the seconds until `place` (from 0, below the limit) waiters and one more fit in."""
        must_go = self.used(now) + place + 1 - self.limit
        if must_go <= 0:
            return 0.0
        expiries = [expiry for expiry, _, _ in heapq.nsmallest(must_go, self._cooling)]
        if must_go <= len(expiries):
            return expiries[-1] - now
        # Open slots tell nothing of their end; how long they have lasted says little about it.
        return max([typical, *(expiry - now for expiry in expiries[-1:])])

    def _leave_open(self, slot: Slot) -> None:
        if self._open.get(slot.id) is not slot:
            raise ValueError(f"slot {slot.id} is not open in this ledger")
        del self._open[slot.id]

    def _expire(self, now: float) -> None:
        # A slot whose expiry is now is free: its hold is over.
        while self._cooling and self._cooling[0][0] <= now:
            _, _, source = heapq.heappop(self._cooling)
            self._release(source)

    def _release(self, source: str) -> None:
        self._held[source] -= 1
        if not self._held[source]:
            del self._held[source]
