from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from proxy.events import Event, ServerDown, ServerUp
from proxy.refusals import Reason
from proxy.upstream import fleet
from proxy.upstream.dial import DialError
from proxy.upstream.egress import Egress
from proxy.upstream.fleet import Fleet, Server, Spread
from proxy.upstream.health import Health
from proxy.upstream.identity import Credentials, LoginKey
from proxy.upstream.session import PROBES_DECIDE
from tests.support.basin import ALICE, BOB, Basin, basin
from tests.support.keepalive import borne
from tests.support.misdeeds import keeps_silent
from tests.support.raw_client import patiently
from tests.support.scripted import scripted

HUNG = 10.0  # seconds
USERS = [Credentials(b"user-%d" % number, b"secret").key() for number in range(300)]


class Yard:
    """Three servers, the pool of each, and the fleet of them."""

    def __init__(
        self,
        pools: list[Basin],
        spread: Spread = Spread.FAILOVER,
        weights: tuple[float, ...] = (1.0, 1.0, 1.0),
    ) -> None:
        self.now = 100.0
        self.pools = pools
        self.moves = 0
        self.events: list[Event] = []
        servers = [
            Server(name, (Egress(None, one.budget, one.pool, name),), Health(10.0), weights[n])
            for n, one in enumerate(pools)
            for name in (f"ftp{n}:21",)
        ]
        self.fleet = Fleet(
            servers, spread, hung=HUNG, clock=lambda: self.now, announce=self.events.append
        )
        self.fleet.when_moved(self._moved)

    def fail(self, server: int, words: str = "refuses connections") -> DialError:
        problem = DialError(Reason.UPSTREAM_DOWN, words)
        self.pools[server].pool.troubles.failed(problem, self.now, 0.0)
        return problem

    def answer(self, server: int) -> None:
        self.pools[server].pool.troubles.are_over()

    async def go_on(self) -> None:
        """Half a second passes, and whoever is ready has his turn."""
        self.now += 0.5
        await asyncio.sleep(0)

    @property
    def used(self) -> list[str]:
        return [way.name for way in self.fleet.current]

    def homes(self) -> dict[LoginKey, str]:
        return {key: self.fleet.open_to(key)[0].name for key in USERS}

    def _moved(self) -> None:
        self.moves += 1


@pytest.fixture
async def pools() -> AsyncIterator[list[Basin]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(basin(await stack.enter_async_context(scripted())))
            for _ in range(3)
        ]


async def test_the_first_that_is_up_does_all_the_work(pools: list[Basin]) -> None:
    yard = Yard(pools)
    assert yard.used == ["ftp0:21"]
    yard.fail(0)
    assert yard.used == ["ftp1:21"]
    yard.fail(1)
    assert yard.used == ["ftp2:21"]
    assert yard.moves == 2
    assert yard.events[0] == ServerDown("ftp0:21", "refuses connections")


async def test_when_one_is_down_each_session_with_it_finds_out_for_itself(
    pools: list[Basin],
) -> None:
    yard = Yard(pools)
    first, second = [(await pool.lease()).session for pool in pools[:2]]
    yard.fail(0)
    assert borne(first) == PROBES_DECIDE < borne(second)
    for pool in pools[:2]:
        pool.pool.cut()


async def test_a_server_that_answers_nobody_is_left_and_in_the_end_forsaken(
    pools: list[Basin], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "LOOK_EVERY", 0.0)
    yard = Yard(pools)
    pools[0].server.always["STAT"] = keeps_silent
    session = (await pools[0].lease()).session
    async with patiently(), asyncio.TaskGroup() as tasks:
        watch = tasks.create_task(yard.fleet.watch())
        for _ in range(100):  # nobody waits for an answer
            await yard.go_on()
        assert yard.used == ["ftp0:21"]
        session.send(b"STAT")
        began = yard.now
        while yard.used == ["ftp0:21"]:
            await yard.go_on()
        assert yard.now - began >= HUNG
        assert session.is_asked
        while not session.has_ended:
            await yard.go_on()
        assert yard.now - began >= 2 * HUNG
        watch.cancel()
    assert isinstance(yard.events[0], ServerDown)
    assert "answered nobody" in yard.events[0].words


async def test_one_answer_that_never_comes_has_a_server_left_once_and_not_again_and_again(
    pools: list[Basin], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "LOOK_EVERY", 0.0)
    yard = Yard(pools)
    yard.fleet.is_wanted = False  # nobody asks but we
    pools[0].server.always["STAT"] = keeps_silent
    session = (await pools[0].lease()).session
    session.send(b"STAT")
    async with patiently(), asyncio.TaskGroup() as tasks:
        watch = tasks.create_task(yard.fleet.watch())
        while yard.used == ["ftp0:21"]:
            await yard.go_on()
        for _ in range(2):  # asked whether it is there, it says so
            yard.answer(0)
            yard.now += 10.0
        for _ in range(200):
            await yard.go_on()
        watch.cancel()
    assert [type(event) for event in yard.events] == [ServerDown, ServerUp]
    assert not session.has_ended
    pools[0].pool.cut()


async def test_where_no_other_is_up_one_waits_for_a_server_that_hangs(
    pools: list[Basin], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "LOOK_EVERY", 0.0)
    yard = Yard(pools)
    yard.fail(1)
    yard.fail(2)
    yard.fleet.is_wanted = False  # those two are not asked
    pools[0].server.always["STAT"] = keeps_silent
    session = (await pools[0].lease()).session
    session.send(b"STAT")
    async with asyncio.TaskGroup() as tasks:
        watch = tasks.create_task(yard.fleet.watch())
        for _ in range(200):
            await yard.go_on()
        watch.cancel()
    assert not session.has_ended
    assert yard.used == ["ftp0:21"]
    pools[0].pool.cut()


async def test_each_server_has_a_state(pools: list[Basin]) -> None:
    yard = Yard(pools)
    yard.fail(0)
    assert [yard.fleet.state_of(one) for one in yard.fleet.servers] == ["down", "in use", "standby"]
    yard.fleet.is_wanted = False
    assert {yard.fleet.state_of(one) for one in yard.fleet.servers} == {"removed"}


async def test_one_that_is_left_need_not_be_waited_for(pools: list[Basin]) -> None:
    yard = Yard(pools)
    first, second, third = yard.fleet.ways
    yard.fail(0)
    assert [yard.fleet.is_left(way) for way in (first, second)] == [True, False]
    yard.fail(1)
    yard.fail(2)
    assert not any(yard.fleet.is_left(way) for way in (first, second, third))


async def test_when_none_is_up_the_one_that_failed_longest_ago_is_tried(pools: list[Basin]) -> None:
    yard = Yard(pools)
    for server in (0, 1, 2):
        yard.now += 1.0
        yard.fail(server)
    assert yard.used == ["ftp0:21"]
    yard.now += 1.0
    yard.fail(0)
    assert yard.used == ["ftp1:21"]
    yard.answer(1)
    assert yard.used == ["ftp1:21"]
    assert yard.events[-1] == ServerUp("ftp1:21", 2.0)


async def test_a_server_that_comes_back_is_used_again_after_a_while(pools: list[Basin]) -> None:
    yard = Yard(pools)
    yard.fail(0)
    yard.now += 5.0
    yard.answer(0)
    assert yard.used == ["ftp1:21"]
    yard.now += 10.0
    yard.answer(0)
    assert yard.used == ["ftp0:21"]


async def test_everybody_hears_of_the_trouble_only_where_no_other_way_is_left(
    pools: list[Basin],
) -> None:
    yard = Yard(pools)
    for one in pools:
        one.pool.troubles.was_full("full", one.now)  # so that no place is free
    problem = yard.fail(0)
    assert not yard.fleet.trouble
    pools[1].now = pools[2].now = yard.now
    yard.fail(1)
    yard.fail(2)
    pools[0].now = yard.now
    assert yard.fleet.trouble is not None
    assert yard.fleet.trouble.words == problem.words


async def test_a_way_that_is_only_full_is_waited_for_whatever_befell_the_other(
    pools: list[Basin],
) -> None:
    yard = Yard(pools)
    ways = tuple(Egress(None, one.budget, one.pool) for one in pools[:2])
    fleet = Fleet(
        [Server("ftp:21", ways, Health(10.0))],
        Spread.FAILOVER,
        hung=HUNG,
        clock=lambda: yard.now,
        announce=yard.events.append,
    )
    for one in pools:
        one.now = yard.now
        one.pool.troubles.was_full("full", one.now)
    problem = yard.fail(0)
    assert not fleet.trouble
    yard.fail(1)
    assert fleet.trouble is not None
    assert fleet.trouble.words == problem.words


async def test_the_least_loaded_goes_first(pools: list[Basin]) -> None:
    yard = Yard(pools, Spread.LEAST_LOADED)
    assert yard.used == ["ftp0:21", "ftp1:21", "ftp2:21"]
    lease = await pools[0].lease()
    assert yard.fleet.open_to(ALICE.key())[0].name == "ftp1:21"
    lease.release()
    yard.fail(1)
    assert {way.name for way in yard.fleet.open_to(BOB.key())} == {"ftp0:21", "ftp2:21"}


async def test_a_user_stays_with_a_server_and_only_its_own_users_move(pools: list[Basin]) -> None:
    yard = Yard(pools, Spread.BY_USER)
    before = yard.homes()
    assert set(before.values()) == {"ftp0:21", "ftp1:21", "ftp2:21"}
    assert Yard(pools, Spread.BY_USER).homes() == before
    yard = Yard(pools, Spread.BY_USER)
    yard.fail(1)
    after = yard.homes()
    assert {before[key] for key in USERS if before[key] != after[key]} == {"ftp1:21"}
    assert "ftp1:21" not in after.values()


async def test_of_two_the_heavier_one_gets_more(pools: list[Basin]) -> None:
    yard = Yard(pools, Spread.LEAST_LOADED, weights=(1.0, 3.0, 1.0))
    assert yard.fleet.open_to(ALICE.key())[0].name == "ftp1:21"
    lease = await pools[1].lease()
    assert yard.fleet.open_to(ALICE.key())[0].name == "ftp0:21"
    other = await pools[0].lease()
    third = await pools[2].lease()
    assert yard.fleet.open_to(BOB.key())[0].name == "ftp1:21"
    for one in (lease, other, third):
        one.release()


async def test_users_are_spread_by_weight(pools: list[Basin]) -> None:
    even = Yard(pools, Spread.BY_USER).homes()
    heavy = Yard(pools, Spread.BY_USER, weights=(1.0, 2.0, 1.0)).homes()
    # Only to the one that has become heavier does anybody move.
    assert {heavy[key] for key in USERS if heavy[key] != even[key]} == {"ftp1:21"}
    count = list(heavy.values()).count("ftp1:21")
    assert 120 < count < 180  # half of 300


async def test_a_server_that_is_down_is_asked_until_it_is_well(pools: list[Basin]) -> None:
    yard = Yard(pools)
    lease = await pools[0].lease()
    lease.release()
    yard.fail(0)
    yard.fleet.adopt(Spread.FAILOVER, failback=0.0, hung=HUNG)
    yard.now += 5.0
    watching = asyncio.Event()
    yard.fleet.when_moved(watching.set)
    async with asyncio.TaskGroup() as tasks:
        watch = tasks.create_task(yard.fleet.watch())
        await watching.wait()
        watch.cancel()
    assert yard.used == ["ftp0:21"]
    assert set(pools[0].uses) == {"CLOSING"}  # nobody is lent a session of before
    await pools[0].until(lambda: not pools[0].uses)


async def test_nobody_is_asked_for_the_sake_of_a_server_that_was_removed(
    pools: list[Basin], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "LOOK_EVERY", 0.0)
    yard = Yard(pools)
    yard.fail(0)
    yard.fleet.adopt(Spread.FAILOVER, failback=0.0, hung=HUNG)
    yard.now += 60.0
    yard.fleet.is_wanted = False
    is_back = asyncio.Event()
    yard.fleet.when_moved(is_back.set)
    async with asyncio.TaskGroup() as tasks:
        watch = tasks.create_task(yard.fleet.watch())
        for _ in range(20):
            await asyncio.sleep(0)
        assert not pools[0].budget.used
        yard.fleet.is_wanted = True
        await is_back.wait()
        watch.cancel()
    await pools[0].until(lambda: not pools[0].uses)
