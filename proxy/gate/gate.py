"""The gate: who may go on, and when. Joins policy (shaping), slots (store) and sessions (upstream).

All or nothing: a request gets everything it needs in one step or goes on waiting, so that nobody
holds one scarce thing while waiting for another. Waiting is here and nowhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any

from proxy.refusals import Declined, Reason
from proxy.shaping.fairqueue import FairQueue, Ticket
from proxy.shaping.holds import Ending
from proxy.shaping.ledger import Kind
from proxy.shaping.sticky import StickyPlaces
from proxy.store.caps import Caps
from proxy.upstream.dial import DialError
from proxy.upstream.egress import Egress
from proxy.upstream.fleet import Fleet

from .bell import Bell
from .chance import next_chance
from .demand import Demand
from .expectation import expected_wait
from .patience import comes
from .request import Permit, Request, Waiting
from .verdict import verdict

# Seconds for which a session stays with its login while others wait with theirs: each change costs
# a goodbye, a login and a slot of the budget. Less when so many logins wait that they would not all
# get their turn in time.
LONGEST_STAY = 1.0


class Gate:
    """Admits commands and transfers to one server in a fair order."""

    def __init__(
        self,
        *,
        fleet: Fleet,
        max_wait: float,
        max_length: int,
        clock: Callable[[], float],
        caps: Caps,
    ) -> None:
        self.fleet = fleet
        self._caps = caps
        self.max_wait = max_wait
        self._max_length = max_length
        self._clock = clock
        self._queue: FairQueue[Waiting] = FairQueue()
        self._places = StickyPlaces(2 * max_wait)
        self._stay = 0.0
        self._assigning = self._is_closed = False
        self._bell = Bell(clock, self._look_again)
        self._followers: dict[Request, None] = {}
        self._demand = Demand(lambda: self._queue.weight)
        self._logins_seen = 0
        # A circle: it asks them for what each request needs, and they rouse it when they have some.
        caps.serve(self._assign)
        fleet.when_moved(self._assign)
        for egress in fleet.ways:
            egress.serve(self._assign, self._demand)

    def adopt(self, *, max_wait: float, max_length: int) -> None:
        """Go on by other limits, and look who may go on now; who waits keeps its deadline."""
        self.max_wait = max_wait
        self._max_length = max_length
        self._places.memory = 2 * max_wait
        self._assign()

    def close(self) -> None:
        """Turn away everybody who waits, and whoever comes from now on: the proxy shuts down."""
        self._is_closed = True
        for ticket in list(self._queue.turns()):
            self._queue.remove(ticket)
            ticket.item.turn.set_exception(Declined(Reason.DRAINING))

    # Commands and transfers.

    def trouble(self, request: Request) -> DialError | None:
        """Return the error that another just met, and this one would meet: it need not wait."""
        return None if self._is_vouched_for(request) else self.fleet.trouble

    def deadline(self, request: Request) -> float:
        """Return until when it may wait."""
        return request.since + self.max_wait

    async def admit(self, request: Request) -> Permit:
        """Return a permit when the turn has come; raise Declined when it would take too long."""
        if self._is_closed:
            raise Declined(Reason.DRAINING)
        # A login that is vouched for takes nothing from those who wait: it goes past them.
        if not self._queue or self._is_vouched_for(request):
            permit = self._grant(request)
            if permit is not None:
                return permit
        if len(self._queue) >= self._max_length:
            raise Declined(Reason.QUEUE_FULL, used=len(self._queue), limit=self._max_length)
        return await self._wait_in_line(request)

    async def follow(self, request: Request, other: asyncio.Future[Any]) -> None:
        """Wait for what another client is fetching, for as long as for a turn."""
        request.follows = True
        self._followers[request] = None
        try:
            await comes(other, request, self.deadline(request), self._clock)
        finally:
            del self._followers[request]

    def _settle(self, request: Request, permit: Permit, ending: Ending | None) -> None:
        """A transfer is over: count it out and let its slot cool, or free it if never used."""
        if request.kind is not None:
            self._caps.end_transfer(request.source.key)
        if permit.slot is None:
            self._assign()
        elif ending is not None:
            permit.egress.budget.settle(permit.slot, ending)
        else:
            permit.egress.budget.cancel(permit.slot)

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return len(self._queue) + len(self._followers)

    @property
    def line(self) -> Iterator[Request]:
        """Tell who waits, in the order of turns; behind them, who waits for no turn."""
        return chain((ticket.item.request for ticket in self._queue.turns()), self._followers)

    # Inside.

    async def _wait_in_line(self, request: Request) -> Permit:
        now, deadline = self._clock(), self.deadline(request)
        request.expected = None
        waiting = Waiting(request, asyncio.get_running_loop().create_future())
        flow = request.flow
        place = (flow, request.errand)
        tag = self._places.take(place, now)
        ticket = self._queue.push(waiting, flow, request.source.limits.weight, now, tag=tag)
        self._demand.joined(request.scarce, request.key)
        try:
            # Nobody who waits can be served now, else they had been: only the newcomer may.
            if self._queue.is_first(ticket):
                self._serve(ticket)
            if not waiting.turn.done():
                self._refuse_hopeless(ticket, deadline - now)
                self._bell.at(self._next_chance(request, now))
            if not await comes(waiting.turn, request, deadline, self._clock):
                raise self._declined(request)
            return waiting.take(self._clock())
        finally:
            self._demand.left(request.scarce, request.key)
            if ticket.waiting and request.errand:
                self._places.keep(place, ticket.tag, self._clock())
            self._queue.remove(ticket)
            self._abandon(waiting)

    def _refuse_hopeless(self, ticket: Ticket[Waiting], patience: float) -> None:
        """Refuse at once who would wait beyond its patience (as pgbench's latency limit)."""
        request = ticket.item.request
        if request.kind is Kind.LISTING:
            return  # several clients take a refused listing for an empty one: delay it instead
        eta = expected_wait(
            ticket,
            self._queue,
            self._open_to(request),
            patience=patience,
            rate_wait=self._transfer_wait(request),
        )
        if request.blocked is Reason.BUDGET:
            request.expected = None if eta is None else self._clock() + eta
        if eta is not None and eta > patience:
            raise self._declined(request, eta)

    def _declined(self, request: Request, eta: float | None = None) -> Declined:
        return verdict(
            request,
            self._open_to(request),
            now=self._clock(),
            max_wait=self.max_wait,
            eta=eta,
            rate_wait=self._transfer_wait(request),
        )

    def _abandon(self, waiting: Waiting) -> None:
        """Give back what was granted to one who left in the same moment."""
        turn = waiting.turn
        if waiting.is_taken or not turn.done() or turn.cancelled() or turn.exception():
            return
        turn.result().forgo()

    def _assign(self) -> None:
        """Serve whoever can be served now, in the order of turns."""
        if self._assigning or not self._queue:
            return
        self._assigning = True
        try:
            while self._is_anybody_servable() and self._serve_some():
                pass
        finally:
            self._assigning = False
        self._tell_of_an_outage()
        self._arm()

    def _tell_of_an_outage(self) -> None:
        """Turn away who waits for a session where nobody gets one."""
        if (outage := self.fleet.outage) is None:
            return
        for ticket in list(self._queue.turns()):
            request = ticket.item.request
            if request.key is not None and not self._is_vouched_for(request):
                self._queue.remove(ticket)
                ticket.item.turn.set_exception(outage.declined())

    def _is_anybody_servable(self) -> bool:
        """Tell, without looking at each of thousands, whether anybody's needs can be met at all."""
        seat = any(way.pool.has_room for way in self.fleet.current)
        slot = any(way.budget.has_room(way.pool.places.unfilled) for way in self.fleet.current)
        proofs = sum(way.pool.logins for way in self.fleet.current)
        has_news, self._logins_seen = proofs != self._logins_seen, proofs
        return self._demand.is_servable(slot=slot, seat=seat, proof=has_news)

    def _serve_some(self) -> bool:
        """Serve the next in turn; whoever needs nothing scarce is served in the same pass."""
        heads = self._queue.heads()
        round_trip = self.max_wait / 4  # in which every login should have had its turn
        places = sum(way.pool.places.limit for way in self.fleet.current)
        self._stay = min(LONGEST_STAY, round_trip * places / max(1, len(heads)))
        any_served = False
        for ticket in heads:
            permit = self._serve(ticket)
            if permit is not None:
                any_served = True
                if permit.seat is not None or permit.slot is not None:
                    break  # each such turn changes whose is next: the order is asked anew
        return any_served

    def _serve(self, ticket: Ticket[Waiting]) -> Permit | None:
        try:
            permit = self._grant(ticket.item.request)
        except Exception as fault:  # its own: no other, whose end made room, shall suffer from it
            self._queue.remove(ticket)
            ticket.item.turn.set_exception(fault)
            return None
        if permit is not None:
            self._queue.serve(ticket)
            ticket.item.turn.set_result(permit)
        return permit

    def _grant(self, request: Request) -> Permit | None:
        """Take everything the request needs, or nothing; say in `blocked` what was missing."""
        if request.kind is not None and (wait := self._transfer_wait(request)) != 0.0:
            request.blocked = Reason.CLASS_TRANSFERS if wait is None else Reason.CLASS_RATE
            return None
        for egress in self._open_to(request):
            permit = self._grant_at(egress, request)
            if permit is not None:
                if request.kind is not None:
                    self._caps.start_transfer(request.source.key, request.source.limits)
                return permit
        return None

    def _is_vouched_for(self, request: Request) -> bool:
        key = request.key if request.proof_serves else None
        return key is not None and any(way.pool.vouches_for(key) for way in self.fleet.open_to(key))

    def _open_to(self, request: Request) -> Sequence[Egress]:
        """Which ways the request may take: that of the session it has, else the best first."""
        if request.egress is not None:
            return (request.egress,)
        return self.fleet.open_to(request.key)

    def _grant_at(self, egress: Egress, request: Request) -> Permit | None:
        budget, pool = egress.budget, egress.pool
        key, kind, host = request.key, request.kind, request.source.host
        proof = None
        if key is not None:
            proof = pool.vouches_for(key) if request.is_login else None
            if not (proof and request.proof_serves) and (lack := pool.lack) is not None:
                request.blocked = lack
                return None
        # Room is left for control connections not yet open: no transfer can do without one.
        if kind is not None and not budget.admits(kind, host, spare=pool.places.unfilled):
            is_banned = budget.banned_for > 0
            request.blocked = Reason.SUSPECTED_BAN if is_banned else Reason.BUDGET
            return None
        seat = None
        if key is not None and not (proof and request.proof_serves):
            verify = request.is_login and proof is None
            # Who goes ahead on a session that is not free yet must not keep it from other logins.
            ahead = kind is not None and self._demand.is_all_of(key)
            taken = pool.take(key, request.wanted, verify=verify, stay=self._stay, ahead=ahead)
            if isinstance(taken, Reason):
                request.blocked = taken
                return None
            seat = taken
        slot = None
        if kind is not None:
            spare = pool.places.unfilled
            if seat and not seat.session and not budget.admits(kind, host, spare=spare):
                pool.forgo(seat)  # the new control connection has taken the last slot
                request.blocked = Reason.BUDGET
                return None
            slot = budget.book(kind, host, spare=spare)
        permit = Permit(egress, slot, partial(self._settle, request))
        permit.seat, permit.proof = seat, proof
        return permit

    def _transfer_wait(self, request: Request) -> float | None:
        return self._caps.transfer_wait(request.source.key, request.source.limits)

    def _arm(self) -> None:
        """Set the timer for the next moment at which time alone lets somebody go on."""
        now = self._clock()
        moments: dict[tuple[Reason, Kind | None], float | None] = {}
        for ticket in self._queue.firsts():
            request = ticket.item.request
            # What holds one back for want of something shared holds all like it back for as long.
            lack = request.blocked, request.kind
            if request.blocked is Reason.CLASS_RATE or lack not in moments:
                moment = self._next_chance(request, now)
                known = moments.get(lack)
                if known is None or (moment is not None and moment < known):
                    moments[lack] = moment
        for moment in moments.values():
            self._bell.at(moment)

    def _look_again(self) -> None:
        self._assign()
        if not self._bell.is_set:
            self._arm()

    def _next_chance(self, request: Request, now: float) -> float | None:
        rate_wait = self._transfer_wait(request)
        ways = self._open_to(request)
        return next_chance(request, ways, stay=self._stay, rate_wait=rate_wait, now=now)
