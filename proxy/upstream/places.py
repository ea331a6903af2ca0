"""The places the server has for us: how many, who sits there, how many are ours to fill.

Several instances behind one address share the places; then a stake says how many are this one's.
Plain bookkeeping: opens and closes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from proxy.shaping.allowance import Allowance
from proxy.shaping.stake import Stake, Wish
from proxy.store.share import Share

from .seat import Seat, Use


class Places:
    """Every seat there is, those that nobody uses in the order of their last use, and the limits to
    their number. `fixed` None: the limit is learned."""

    def __init__(
        self,
        fixed: int | None,
        share: Share | None,
        clock: Callable[[], float],
        *,
        patience: float = 0.0,
    ) -> None:
        self._allowance = Allowance(fixed)
        self._share = share
        self._clock = clock
        self._seats: list[Seat] = []
        self._wanted: Callable[[], tuple[int, float]] = lambda: (0, 1.0)  # nobody waits yet
        self.adopt(fixed, patience=patience)

    def serve(self, wanted: Callable[[], tuple[int, float]]) -> None:
        """`wanted` tells how many more could be used by those who wait, and for whose weight."""
        self._wanted = wanted

    def __iter__(self) -> Iterator[Seat]:
        return iter(tuple(self._seats))

    def __reversed__(self) -> Iterator[Seat]:
        return iter(self._seats[::-1])

    def __len__(self) -> int:
        return len(self._seats)

    @property
    def limit(self) -> int:
        """How many the server allows us, all instances together: the lowest that any goes by."""
        limit = self._allowance.limit
        return limit if self._share is None else self._share.stake.agreed(limit)

    @property
    def configured(self) -> int:
        """How many we would go by, if no other instance went by fewer; where each learns its own
        there is nothing to agree on."""
        return self.limit if self._allowance.is_learned else self._allowance.limit

    @property
    def elsewhere(self) -> int:
        """How many of them other instances have."""
        return 0 if self._share is None else self._share.stake.others

    @property
    def stake(self) -> Stake | None:
        """What is this instance's of them; None: all of them."""
        return self._share.stake if self._share is not None else None

    @property
    def ours(self) -> int:
        """How many this instance may fill now."""
        limit = self._allowance.limit
        if self._share is None:
            return limit
        return min(limit, self._share.stake.allowed(self._clock()))

    @property
    def unfilled(self) -> int:
        """How many of ours have no control connection yet."""
        return max(0, self.ours - len(self._seats))

    @property
    def exceed_limit(self) -> bool:
        """Tell whether there are more sessions, all but those that end, than the server allows."""
        return len(self._seats) > self.limit and self._standing() > self.limit

    @property
    def is_overfull(self) -> bool:
        """Tell whether sessions have to end because other instances shall have their places."""
        return self._surplus() > 0

    @property
    def busy(self) -> int:
        """How many seats somebody uses, or opens."""
        return sum(1 for seat in self._seats if seat.use not in (Use.IDLE, Use.CLOSING))

    def to_give_back(self) -> list[Seat]:
        """List the idle seats whose places are no longer ours, the longest idle first."""
        return self.idle()[: max(0, self._surplus())]

    def idle(self) -> list[Seat]:
        """List the seats that nobody uses, the longest idle first."""
        return [seat for seat in self._seats if seat.use is Use.IDLE]

    def is_free(self) -> bool:
        """Tell whether one more may be filled; where others may have one to give, ask for it."""
        if len(self._seats) < self.ours:
            return True
        if self._share is not None and self.ours < self.limit:
            self._share.ask()
        return False

    def fill(self, seat: Seat) -> None:
        """A seat is taken."""
        self._seats.append(seat)

    def rest(self, seat: Seat) -> None:
        """Nobody uses it any more: it stands behind those that were used before it."""
        self._seats.remove(seat)
        self._seats.append(seat)

    def free(self, seat: Seat) -> None:
        """It is gone."""
        self._seats.remove(seat)

    def has_login(self, key: object) -> bool:
        """Tell whether a session of this login is left."""
        return any(seat.key == key for seat in self._seats)

    def let_in(self, *, beside: Seat | None = None) -> int:
        """How many sessions of ours the server has let in."""
        return sum(1 for seat in self._seats if seat is not beside and seat.key is not None)

    def refused(self, seat: Seat) -> None:
        """The server would not have this one: learn from the number of the others."""
        self._allowance.refused(self.let_in(beside=seat) + self.elsewhere, self._clock())

    def adopt(self, fixed: int | None, *, patience: float) -> None:
        """Go on with another limit; None: it is learned, and may differ: each instance hears other
        refusals. Where instances take turns, all have had theirs within `patience` seconds."""
        self._allowance.adopt(fixed)
        if self._share is not None:
            self._share.setting = "" if self._allowance.is_learned else "upstream.sessions"
            self._share.stake.patience = patience

    def tick(self) -> bool:
        """Let a learned limit creep up; True when it did."""
        return self._allowance.tick(self._clock())

    def wish(self) -> Wish:
        """Tell the store what we have and need: idle sessions are had, not needed."""
        # Who is to take the place of a session that still says goodbye has none of its own yet.
        used = sum(1 for seat in self._seats if seat.instead_of not in self._seats)
        more, weight = self._wanted()
        return Wish(self._allowance.limit, used, self.busy + more, weight)

    def _surplus(self) -> int:
        if self._share is None:
            return 0
        return self._standing() - self._share.stake.allowed(self._clock())

    def _standing(self) -> int:
        return sum(1 for seat in self._seats if seat.use is not Use.CLOSING)
