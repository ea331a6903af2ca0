from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from proxy.gate.request import Request, Source
from proxy.gate.verdict import verdict
from proxy.refusals import Declined, Reason
from proxy.shaping.holds import Ending
from proxy.shaping.ledger import Kind
from proxy.shaping.quota import Limits
from proxy.upstream.dial import DialError
from proxy.upstream.egress import Egress
from tests.support.basin import Basin, basin
from tests.support.scripted import scripted

SOURCE = Source("192.0.2.7", "nightly", Limits(transfers=4, transfers_per_minute=60))


@pytest.fixture
async def pool() -> AsyncIterator[Basin]:
    async with scripted() as server, basin(server, sessions=1, budget=3, hold=100.0) as one:
        yield one


def judged(
    pool: Basin,
    blocked: Reason,
    eta: float | None = None,
    waited: float = 0.0,
    kind: Kind | None = Kind.DOWNLOAD,
) -> Declined:
    request = Request(SOURCE, kind, blocked=blocked, since=pool.now - waited)
    ways = [Egress(None, pool.budget, pool.pool)]
    return verdict(request, ways, now=pool.now, max_wait=40.0, eta=eta, rate_wait=12.0)


def use_up(pool: Basin, slots: int = 2) -> None:
    for _ in range(slots):
        slot = pool.budget.reserve(Kind.DOWNLOAD, "")
        assert slot is not None
        pool.budget.settle(slot, Ending.FIN)


async def test_a_budget_that_alone_makes_the_wait_is_named(pool: Basin) -> None:
    use_up(pool)
    told = judged(pool, Reason.BUDGET, eta=100.0)
    assert (told.reason, told.used, told.limit, told.retry) == (Reason.BUDGET, 3, 3, 100.0)


async def test_nobody_reads_of_more_connections_than_the_limit(pool: Basin) -> None:
    use_up(pool, slots=3)
    assert pool.pool.places.unfilled == 1
    told = judged(pool, Reason.BUDGET, eta=100.0)
    assert (told.used, told.limit) == (3, 3)


async def test_a_queue_that_makes_the_wait_is_named(pool: Basin) -> None:
    told = judged(pool, Reason.BUDGET, eta=95.0)
    assert (told.reason, told.used, told.limit) == (Reason.ETA_TOO_LONG, 95, 40)


async def test_a_wait_of_less_than_a_second_is_not_told(pool: Basin) -> None:
    assert judged(pool, Reason.BUDGET, waited=0.9).waited is None
    assert judged(pool, Reason.BUDGET, waited=7.0).waited == 7.0


async def test_caps_of_the_class_are_told_with_the_source(pool: Basin) -> None:
    told = judged(pool, Reason.CLASS_TRANSFERS)
    assert (told.used, told.limit, told.who) == (4, 4, "192.0.2.7")
    told = judged(pool, Reason.CLASS_RATE)
    assert (told.used, told.limit, told.retry) == (60, 60, 12.0)


async def test_a_suspected_ban_tells_how_long_it_is_believed(pool: Basin) -> None:
    assert judged(pool, Reason.SUSPECTED_BAN).retry == 0.0


async def test_who_found_no_session_hears_how_many_there_are(pool: Basin) -> None:
    told = judged(pool, Reason.UPSTREAM_SESSIONS)
    assert (told.reason, told.used, told.limit) == (Reason.UPSTREAM_SESSIONS, 0, 1)
    assert told.retry is None  # nobody can tell when one will be given back


async def test_a_server_that_takes_no_more_is_quoted_as_long_as_a_place_is_free(
    pool: Basin,
) -> None:
    wait = pool.pool.troubles.was_full("Too many connections (1) from this IP", pool.now)
    for blocked in (Reason.UPSTREAM_SESSIONS, Reason.UPSTREAM_REFUSED):
        told = judged(pool, blocked, waited=40.0)
        assert told.reason is Reason.UPSTREAM_REFUSED
        assert (told.words, told.retry) == ("Too many connections (1) from this IP", wait)
    pool.now += wait
    assert judged(pool, Reason.UPSTREAM_REFUSED).retry is None  # it is being asked
    lease = await pool.lease()
    pool.pool.troubles.was_full("Too many", pool.now)  # long ago, and by now all are ours
    assert judged(pool, Reason.UPSTREAM_SESSIONS).reason is Reason.UPSTREAM_SESSIONS
    lease.release()


async def test_a_server_that_cannot_be_reached_is_told_of_to_who_has_waited_in_vain(
    pool: Basin,
) -> None:
    met = DialError(Reason.UPSTREAM_UNREACHABLE, "no answer within 10 s", "timeouts.connect")
    pool.pool.troubles.failed(met, pool.now, outage=0.0)
    pool.now += 10.0  # it is just being dialled again
    told = judged(pool, Reason.UPSTREAM_SESSIONS, waited=40.0)
    assert (told.reason, told.words, told.setting) == (met.reason, met.words, met.setting)


async def test_who_lacks_the_slot_of_a_control_connection_hears_of_the_budget(pool: Basin) -> None:
    use_up(pool, slots=3)
    pool.now += 30.0
    told = judged(pool, Reason.BUDGET, waited=40.0, kind=None)
    assert (told.reason, told.used, told.limit) == (Reason.BUDGET, 3, 3)
    assert told.retry == pytest.approx(70.0)
