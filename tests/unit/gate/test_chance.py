"""When time alone lets a request go on."""

from __future__ import annotations

from proxy.gate.chance import next_chance
from proxy.gate.request import Request, Source
from proxy.refusals import Reason
from proxy.shaping.holds import Ending
from proxy.shaping.ledger import Kind
from proxy.shaping.quota import Limits
from proxy.upstream.egress import Egress
from tests.support.basin import Basin, basin
from tests.support.scripted import scripted

SOURCE = Source("192.0.2.1", "everyone", Limits())


def chance(pool: Basin, blocked: Reason, rate_wait: float | None = None) -> float | None:
    request = Request(SOURCE, Kind.DOWNLOAD, blocked=blocked, since=0.0)
    way = Egress(None, pool.budget, pool.pool)
    return next_chance(request, (way,), stay=1.0, rate_wait=rate_wait, now=pool.now)


async def test_a_rate_lets_go_on_when_its_minute_is_over() -> None:
    async with scripted() as server, basin(server) as pool:
        assert chance(pool, Reason.CLASS_RATE, rate_wait=12.0) == pool.now + 12.0
        assert chance(pool, Reason.CLASS_RATE) is None


async def test_a_cap_on_transfers_at_once_opens_by_no_clock() -> None:
    async with scripted() as server, basin(server) as pool:
        assert chance(pool, Reason.CLASS_TRANSFERS) is None


async def test_an_idle_session_makes_room_after_its_stay() -> None:
    async with scripted() as server, basin(server) as pool:
        lease = await pool.lease()
        assert chance(pool, Reason.UPSTREAM_SESSIONS) is None
        lease.release()
        moment = chance(pool, Reason.UPSTREAM_SESSIONS)
        assert moment is not None
        assert pool.now < moment <= pool.now + 1.0


async def test_the_budget_lets_go_on_when_a_slot_has_cooled() -> None:
    async with scripted() as server, basin(server, sessions=1, budget=2, hold=9.0) as pool:
        lease = await pool.lease()
        slot = pool.budget.reserve(Kind.DOWNLOAD, "192.0.2.1")
        assert slot is not None
        assert chance(pool, Reason.BUDGET) is None
        pool.budget.settle(slot, Ending.FIN)
        assert chance(pool, Reason.BUDGET) == pool.now + 9.0
        lease.release()


async def test_what_keeps_one_from_a_session_may_change_while_it_waits() -> None:
    async with scripted() as server, basin(server, sessions=1, budget=1, hold=9.0) as pool:
        way = Egress(None, pool.budget, pool.pool)
        request = Request(SOURCE, blocked=Reason.UPSTREAM_SESSIONS, since=0.0)

        def moment() -> float | None:
            return next_chance(request, (way,), stay=1.0, rate_wait=None, now=pool.now)

        assert moment() is None
        slot = pool.budget.reserve(Kind.DOWNLOAD, "192.0.2.1")
        assert slot is not None
        pool.budget.settle(slot, Ending.FIN)
        assert moment() == pool.now + 9.0
        wait = pool.pool.troubles.was_full("full", pool.now)
        assert moment() == pool.now + wait
