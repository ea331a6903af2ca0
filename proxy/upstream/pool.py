"""The upstream pool: at most so many control connections to the server, lent as leases.

`take` and `leave` are plain bookkeeping: whoever is picked is marked taken in the same step. The
waiting (dialling, draining, saying QUIT) is done by who took the seat, or by the pool's own tasks;
how a new session comes about is in arrivals.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial

from proxy.ftp.facts import ServerFacts
from proxy.ftp.virtual import State
from proxy.refusals import Reason
from proxy.shaping.ledger import Kind
from proxy.store.budget import Budget
from proxy.store.share import Share

from .arrivals import REST_AFTER_CLOSE, Arrivals
from .choice import best_ending, best_idle, leaves_at, longest_idle
from .dial import Dialer, DialError
from .farewell import say_goodbye, wait_until_gone
from .ground import Ground
from .handover import Handover
from .identity import Credentials, LoginKey
from .lease import Lease
from .limits import PoolLimits
from .order import Order
from .places import Places
from .proofs import Proof
from .seat import TO_BE_HAD, Seat, Use
from .session import UpstreamSession

GIVEN_AWAY = "another instance's turn"


class Pool:
    """All control connections to one server."""

    def __init__(
        self,
        dialer: Dialer,
        limits: PoolLimits,
        ground: Ground,
        *,
        budget: Budget,
        order: Order,
        share: Share | None = None,
    ) -> None:
        self._limits = limits
        self._budget = budget
        self._clock, self._announce, self._spawn = ground.clock, ground.announce, ground.spawn
        self.places = Places(limits.sessions, share, ground.clock, patience=limits.patience)
        self._arrivals = Arrivals(self, dialer, limits, ground, budget)
        self._proofs, self.troubles = self._arrivals.proofs, self._arrivals.troubles
        self._closing = False
        self._freed = asyncio.Event()
        self._rouse: Callable[[], None] = lambda: None  # nobody waits yet
        if share is not None:
            share.serve(self.places.wish, self._have_news, lambda: 0.0)
        self._handover = Handover(order, ground, self.leave, self.rouse)

    def serve(self, rouse: Callable[[], None], wanted: Callable[[], tuple[int, float]]) -> None:
        """Call `rouse` whenever `take` may succeed; `wanted` tells how many more could be used by
        those who wait, and for whose weight."""
        self._rouse = rouse
        self.places.serve(wanted)

    def adopt(self, dialer: Dialer, limits: PoolLimits, *, renew: bool) -> None:
        """Go on with other settings. Who has a session keeps it; with `renew` none is lent again,
        and no login counts as proven any more."""
        self._limits = limits
        self._arrivals.adopt(dialer, limits, renew=renew)
        self.places.adopt(limits.sessions, patience=limits.patience)
        self.sweep()

    # What the gate asks; nothing here waits.

    def take(
        self,
        key: LoginKey,
        wanted: State | None,
        *,
        verify: bool = False,
        stay: float = 0.0,
        ahead: bool = False,
    ) -> Seat | Reason:
        """Pick a seat for this login and mark it taken, or tell why there is none now.

        Best is an idle session already in the wanted state; then any of that login; with `ahead`
        one in the wanted state that only waits for a final reply; then a free place; then the
        place of the login that has been idle longest. With `verify` only a new login at the server
        will do. A session in use is left to its own login for `stay` seconds.
        """
        now = self._clock()
        if verify:
            return self._place_to_verify(key, now, stay=stay)
        seat = best_idle(reversed(self.places), key, wanted)
        if seat is None and ahead and wanted is not None:
            lasting = (seat for seat in self.places if not self._why_over(seat, now))
            seat = best_ending(lasting, key, wanted, self.facts)
        if seat is not None:
            seat.become(Use.LENT, now)
            return seat
        return self._open_place(now, stay=stay)

    def vouches_for(self, key: LoginKey) -> Proof | None:
        """Return the proof that the server took this very login lately, and is still logged in."""
        return self._proofs.of(key, self._clock())

    @property
    def logins(self) -> int:
        """How many logins the server has taken so far: a new one may serve others who wait."""
        return self._proofs.added

    @property
    def dialer(self) -> Dialer:
        """What opens its sessions."""
        return self._arrivals.dialer

    @property
    def facts(self) -> ServerFacts | None:
        """What the server says of itself, once somebody has logged in."""
        return self._arrivals.dialer.facts

    @property
    def lack(self) -> Reason | None:
        """Tell why `take` would fail for everybody; None: for somebody it may succeed."""
        is_refused = self.retry_at is not None
        if not is_refused and self.places.is_free():
            return None
        if any(seat.use in TO_BE_HAD for seat in self.places):
            return None
        return Reason.UPSTREAM_REFUSED if is_refused else Reason.UPSTREAM_SESSIONS

    @property
    def has_room(self) -> bool:
        """Tell whether `take` could succeed for anybody."""
        return self.lack is None

    @property
    def obstacle(self) -> DialError | None:
        """What kept us last from one more session, while we lack one of those that are ours."""
        return self.troubles.cause if self.places.let_in() < self.places.ours else None

    @property
    def retry_at(self) -> float | None:
        """When (on the clock) the server may be asked for a session again; None: now."""
        return self.troubles.retry_at(self._clock())

    def spare_at(self, stay: float) -> float | None:
        """When (on the clock) an idle session may make room for another login."""
        return min((leaves_at(seat, stay) for seat in self.places.idle()), default=None)

    @property
    def seats(self) -> tuple[Seat, ...]:
        """Every seat there is now, for who looks on: in the order in which they were taken."""
        return tuple(sorted(self.places, key=lambda seat: seat.slot.id))

    @property
    def sessions(self) -> Iterator[UpstreamSession]:
        """Those with the server now, whatever they are at."""
        return (seat.session for seat in self.places if seat.session is not None)

    @property
    def trouble(self) -> DialError | None:
        """The error that an attempt just met, while it is fresh: others are spared the same."""
        return self.troubles.error(self._clock())

    # What the holder of a seat does.

    async def ready(self, seat: Seat, credentials: Credentials) -> Lease:
        """Make the taken seat a lease, dialling if it is new.

        Raise LoginRefused, Busy or DialError; the seat is given up then. Who is cancelled here
        leaves the dialling to the pool: a login once begun is kept warm, not thrown away.
        """
        if seat.session is None:
            await self._arrivals.fill(seat, credentials)
        assert seat.session is not None
        seat.leases += 1
        over, on = partial(self._handover.end, seat), partial(self._handover.begin, seat)
        return Lease(seat.session, self.facts, over, on)

    def forgo(self, seat: Seat) -> None:
        """Give back a seat that was taken and not used."""
        if seat.session is not None:
            self.leave(seat)
            return
        if seat.instead_of is not None:  # it was told that it must go
            self._spawn(say_goodbye(seat.instead_of, resets=self._limits.resets))
        self.places.free(seat)
        self._budget.cancel(seat.slot)
        self._rouse()

    # What becomes of a seat.

    def leave(self, seat: Seat) -> None:
        """Take back a lease: warm again, drained first, or closed."""
        session = seat.session
        assert session is not None
        self._handover.judge(seat)
        now = self._clock()
        if not session.is_fit:
            self._close(seat, "not fit for another client")
        elif session.is_clean:
            self._warm(seat, now)
        else:
            seat.become(Use.SETTLING, now)
            self._spawn(self._settle(seat))

    def gone(self, seat: Seat) -> None:
        """The socket is closed: the slot cools, and soon the place is free."""
        self._budget.settle(seat.slot, seat.ending)
        now = self._clock()
        if seat.use is Use.IDLE:
            seat.become(Use.CLOSING, now)
        if (told := seat.told(now)) is not None:
            self._announce(told)
        asyncio.get_running_loop().call_later(REST_AFTER_CLOSE, self.vacate, seat)

    def rouse(self) -> None:
        """Have those who wait look again."""
        self._rouse()

    def vacate(self, seat: Seat) -> None:
        """The place of one that is gone may be filled again."""
        self.places.free(seat)
        self._freed.set()
        if seat.key is not None and not self.places.has_login(seat.key):
            self._proofs.forget(seat.key)
        self._rouse()

    # What the owner of the pool has it do.

    def sweep(self) -> None:
        """Close what was idle too long or is too old; called now and then."""
        now = self._clock()
        if self.places.tick():
            self._rouse()
        for seat in self.places.idle():
            is_idle = now - seat.since > self._limits.idle
            if reason := "idle" if is_idle else self._why_over(seat, now):
                self._close(seat, reason)

    def send_home(self, reason: str, key: LoginKey | None = None) -> None:
        """Close what nobody uses: the sessions of this login, or all."""
        for seat in self.places.idle():
            if key is None or seat.key == key:
                self._close(seat, reason)

    def cut(self) -> None:
        """End every session at once, without a word."""
        for session in self.sessions:
            session.channel.abort()

    async def close(self) -> None:
        """Say QUIT everywhere and wait until every socket is gone."""
        self._closing = True
        self.send_home("shutdown")
        await wait_until_gone(self.places, self._freed, self.cut)

    # Bookkeeping.

    def _place_to_verify(self, key: LoginKey, now: float, *, stay: float) -> Seat | Reason:
        """One unproven login at a time: wrong passwords must not crowd out the right ones."""
        if any(seat.verifies is not None for seat in self.places):
            return Reason.UPSTREAM_SESSIONS
        seat = self._open_place(now, stay=stay)
        if isinstance(seat, Seat):
            seat.verifies = key
        return seat

    def _open_place(self, now: float, *, stay: float) -> Seat | Reason:
        """Book a new control connection, in a free place or in that of the longest idle session."""
        if self.troubles.retry_at(now) is not None:  # asked before anybody is told to make room
            return Reason.UPSTREAM_REFUSED
        if self._closing or self.places.is_overfull:
            return Reason.UPSTREAM_SESSIONS
        victim = None
        if not self.places.is_free():
            victim = longest_idle(self.places.idle(), stay, now)
            if victim is None:
                return Reason.UPSTREAM_SESSIONS
        slot = self._budget.reserve(Kind.CONTROL, "")
        if slot is None:
            return Reason.SUSPECTED_BAN if self._budget.banned_for > 0 else Reason.BUDGET
        seat = Seat(slot, Use.OPENING, now)
        if victim is not None:
            victim.become(Use.CLOSING, now)
            victim.end_reason = "made room for another login"
            seat.instead_of = victim
        self.places.fill(seat)
        return seat

    def _why_over(self, seat: Seat, now: float) -> str:
        """Tell why a session in order is lent to nobody any more; empty: it may be."""
        if self._closing:
            return "shutdown"
        if seat.generation != self._arrivals.generation:
            return "settings changed"
        if self.places.exceed_limit:
            return "fewer sessions allowed"
        if self.places.is_overfull:
            return GIVEN_AWAY
        is_old = seat.session and now - seat.session.opened_at > self._limits.lifetime
        return "lifetime over" if is_old else ""

    def _warm(self, seat: Seat, now: float) -> None:
        assert seat.session is not None
        if reason := self._why_over(seat, now):
            self._close(seat, reason)
            return
        seat.become(Use.IDLE, now)
        self.places.rest(seat)
        # Whatever an idle session says, it is not an answer: it is about to hang up.
        seat.session.channel.watch = partial(self._stirred, seat)
        self._rouse()

    def _have_news(self) -> None:
        """Give back the places that other instances shall have; use what we got."""
        for seat in self.places.to_give_back():
            self._close(seat, GIVEN_AWAY)
        self._rouse()

    def _stirred(self, seat: Seat) -> None:
        if seat.use is Use.IDLE:
            self._close(seat, "server hung up")

    def _close(self, seat: Seat, reason: str) -> None:
        if seat.fell_silent:
            self.troubles.fell_silent()
        seat.become(Use.CLOSING, self._clock())
        seat.end_reason = reason
        self._spawn(say_goodbye(seat, resets=self._limits.resets))

    async def _settle(self, seat: Seat) -> None:
        """Drain what an abandoned command still answers, so that the session may be lent again."""
        assert seat.session is not None
        if await seat.session.settle() and seat.session.is_fit:
            self._warm(seat, self._clock())
        else:
            self._close(seat, "an aborted command was not answered")
