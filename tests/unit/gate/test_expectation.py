"""How long one who waits will wait."""

from __future__ import annotations

import asyncio

from proxy.gate.expectation import expected_wait, slot_wait
from proxy.gate.request import Request, Source, Waiting
from proxy.refusals import Reason
from proxy.shaping.fairqueue import FairQueue, Ticket
from proxy.shaping.holds import Ending
from proxy.shaping.ledger import Kind
from proxy.shaping.quota import Limits
from proxy.upstream.egress import Egress
from tests.support.basin import Basin, basin
from tests.support.scripted import scripted

SOURCE = Source("192.0.2.1", "everyone", Limits())


class Line:
    """A queue of requests that wait for these reasons."""

    def __init__(self, *blocked: Reason) -> None:
        self.queue: FairQueue[Waiting] = FairQueue()
        self.tickets = [self._join(reason) for reason in blocked]

    def expected(
        self, *ways: Egress, patience: float = 0.0, rate_wait: float | None = None
    ) -> float | None:
        """Return what the last one has to expect."""
        last = self.tickets[-1]
        return expected_wait(last, self.queue, ways, patience=patience, rate_wait=rate_wait)

    def _join(self, reason: Reason) -> Ticket[Waiting]:
        turn = asyncio.get_running_loop().create_future()
        waiting = Waiting(Request(SOURCE, Kind.DOWNLOAD, blocked=reason, since=0.0), turn)
        return self.queue.push(waiting, SOURCE.host, 1.0, 0.0)


def cool(pool: Basin, after: float) -> Egress:
    """After so many seconds use up a slot, and return the way it belongs to.

    One more than those is kept for the control connection that nobody has opened yet.
    """
    pool.now += after
    slot = pool.budget.reserve(Kind.DOWNLOAD, "192.0.2.2")
    assert slot is not None
    pool.budget.settle(slot, Ending.FIN)
    return pool.fleet.ways[0]


async def test_a_rate_tells_its_own_wait_and_what_no_clock_ends_tells_none() -> None:
    async with scripted() as server, basin(server) as pool:
        (way,) = pool.fleet.ways
        assert Line(Reason.CLASS_RATE).expected(way, rate_wait=12.0) == 12.0
        assert Line(Reason.CLASS_RATE).expected(way) == 0.0
        assert Line(Reason.SUSPECTED_BAN).expected(way) == 0.0
        assert Line(Reason.UPSTREAM_SESSIONS).expected(way) is None


async def test_each_place_in_the_line_waits_for_another_slot() -> None:
    async with scripted() as server, basin(server, sessions=1, budget=3, hold=2.0) as pool:
        cool(pool, 0.0)
        way = cool(pool, 0.5)
        assert [slot_wait((way,), place) for place in (1, 2)] == [1.5, 2.0]
        assert Line(Reason.BUDGET, Reason.BUDGET).expected(way) == 2.0


async def test_who_waits_for_something_else_stands_in_nobodys_way() -> None:
    async with scripted() as server, basin(server, sessions=1, budget=3, hold=2.0) as pool:
        cool(pool, 0.0)
        way = cool(pool, 0.5)
        line = Line(Reason.CLASS_TRANSFERS, Reason.BUDGET)
        assert line.expected(way) == 1.5
        assert line.expected(way, patience=2.0) == 2.0  # soon enough: nobody is counted


async def test_several_addresses_serve_one_line_together() -> None:
    async with (
        scripted() as server,
        basin(server, sessions=1, budget=2, hold=2.0) as one,
        basin(server, sessions=1, budget=2, hold=1.5) as two,
    ):
        ways = cool(one, 0.0), cool(two, 0.0)
        assert [slot_wait(ways, place) for place in (1, 2)] == [1.5, 1.5]
        assert slot_wait(ways, 3) > 1.5


async def test_when_a_control_connection_gets_its_slot_nobody_can_tell() -> None:
    async with scripted() as server, basin(server, sessions=1, budget=1, hold=90.0) as pool:
        (way,) = pool.fleet.ways
        line = Line(Reason.BUDGET)
        line.tickets[-1].item.request.kind = None
        assert line.expected(way, patience=40.0) is None
