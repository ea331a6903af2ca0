"""New sessions with the server: dialled for a seat that is taken, and logged in.

Remembers which logins the server took, and what has kept it from taking one. Lends nothing: whose
turn it is, and what becomes of a session afterwards, is the pool's affair.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Protocol

from proxy.events import UpstreamOpened, UpstreamRefused
from proxy.shaping.holds import Ending
from proxy.store.budget import Budget

from .dial import Busy, Dialer, DialError, LoginRefused, TurnedAway
from .farewell import say_goodbye
from .ground import Ground
from .identity import Credentials, LoginKey
from .limits import PoolLimits
from .places import Places
from .proofs import Proofs
from .seat import Seat, Use
from .troubles import Troubles

# A server goes on counting a session while the process behind it ends (vsftpd: some milliseconds).
REST_AFTER_CLOSE = 0.1


class Host(Protocol):
    """Who has the seats, and whatever becomes of them."""

    places: Places

    def leave(self, seat: Seat) -> None:
        """Take back a seat whose session is logged in."""
        ...

    def gone(self, seat: Seat) -> None:
        """Its socket is closed."""
        ...

    def vacate(self, seat: Seat) -> None:
        """Its place may be filled again."""
        ...

    def rouse(self) -> None:
        """Have those who wait look again."""
        ...

    def send_home(self, reason: str, key: LoginKey | None = None) -> None:
        """Close what nobody uses of this login."""
        ...


class Arrivals:
    """Fills the seats of one host."""

    def __init__(
        self,
        host: Host,
        dialer: Dialer,
        limits: PoolLimits,
        ground: Ground,
        budget: Budget,
    ) -> None:
        self._host = host
        self.dialer = dialer
        self._limits = limits
        self._budget = budget
        self._clock, self._announce, self._spawn = ground.clock, ground.announce, ground.spawn
        self.proofs = Proofs(limits.login_memory)
        self.troubles = Troubles()
        self.generation = 0  # of the settings dialled with

    def adopt(self, dialer: Dialer, limits: PoolLimits, *, renew: bool) -> None:
        """Dial by other settings; with `renew` no login counts as proven any more."""
        if renew:
            self.generation += 1
            self.proofs.clear()
            self.troubles.turn_to_another()
        dialer.follow(self.dialer, is_same=not renew)
        self.dialer, self._limits = dialer, limits
        self.proofs.memory = limits.login_memory

    async def fill(self, seat: Seat, credentials: Credentials) -> None:
        """Give the seat a session; raise LoginRefused, Busy or DialError, and it is given up.

        Who is cancelled here leaves it to us: a login once begun is kept warm, not thrown away.
        """
        arrived = asyncio.get_running_loop().create_future()
        self._spawn(self._see_in(seat, credentials, arrived))
        try:
            await arrived
        except asyncio.CancelledError:
            if not arrived.cancelled() and arrived.exception() is None:
                self._host.leave(seat)  # it came in the very moment in which we were cancelled
            raise

    async def _see_in(
        self, seat: Seat, credentials: Credentials, arrived: asyncio.Future[None]
    ) -> None:
        """Tell `arrived` how it went; if nobody waits any more, the session is left to the host."""
        try:
            await self._dial(seat, credentials)
        except Exception as problem:  # a fault of ours is met by who waits for it, as any other
            self._give_up(seat)
            if not arrived.cancelled():
                arrived.set_exception(problem)
            elif not isinstance(problem, LoginRefused | DialError):
                raise
        except BaseException:
            self._give_up(seat)
            arrived.cancel()
            raise
        else:
            if arrived.cancelled():
                self._host.leave(seat)
            else:
                arrived.set_result(None)

    async def _dial(self, seat: Seat, credentials: Credentials) -> None:
        started, dialer, seat.generation = self._clock(), self.dialer, self.generation
        try:
            if seat.instead_of is not None:
                await say_goodbye(seat.instead_of, resets=self._limits.resets)
                # Until its place is free again there would be one session too many.
                await asyncio.sleep(REST_AFTER_CLOSE)
            session = seat.session = await dialer.connect(self._clock())
            session.channel.when_closed(partial(self._host.gone, seat))
            await dialer.log_in(session, credentials)
        except DialError as problem:
            raise self._met(problem, seat) from None
        except LoginRefused:
            self._forget(credentials.key())
            raise
        self.troubles.are_over()
        now = self._clock()
        if seat.generation == self.generation:
            self.proofs.add(credentials.key(), session.home, now)
        seat.verifies = None
        seat.become(Use.LENT, now)
        user = credentials.user.decode("ascii", "replace")
        seconds, until = now - started, session.certificate_until
        self._announce(UpstreamOpened(session.id, user, seconds, session.tls, until))
        self._host.rouse()

    def _met(self, problem: DialError, seat: Seat) -> DialError:
        """Remember what kept a seat from its session; return it as those who wait shall hear it."""
        now, places = self._clock(), self._host.places
        if isinstance(problem, TurnedAway) and places.let_in(beside=seat):
            problem = Busy(problem.words)  # so many and no more: a limit, in whatever words
        if isinstance(problem, Busy):
            pause = self.troubles.was_full(problem.words, now)
            places.refused(seat)
        else:
            pause = self.troubles.failed(problem, now, self._limits.outage)
        self._announce(UpstreamRefused(problem.words, problem.reason.value, pause))
        return problem

    def _forget(self, key: LoginKey) -> None:
        """The server no longer takes this login: its warm sessions vouch for nobody."""
        self.proofs.forget(key)
        self._host.send_home("password changed", key)

    def _give_up(self, seat: Seat) -> None:
        """End a seat that nobody could be seated on."""
        seat.verifies = None
        if seat.session is None:
            # The SYN may have reached the server, which counts it until it sees our end of it.
            self._budget.settle(seat.slot, Ending.UNANSWERED)
            asyncio.get_running_loop().call_later(REST_AFTER_CLOSE, self._host.vacate, seat)
        else:
            if seat.use is not Use.CLOSING:
                seat.become(Use.CLOSING, self._clock())
                seat.end_reason = "login failed"
            seat.session.channel.abort()
