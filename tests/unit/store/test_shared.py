from __future__ import annotations

import asyncio
from collections.abc import Callable

from loadtest.simulation.engine import SimulatedEngine
from proxy.events import Event, LimitsDiffer, StoreBack, StoreLost, StoreNew, StoreUnreadable
from proxy.shaping.stake import HEARTBEAT, POLL, OnStoreDown, Stake, Terms, Wish
from proxy.store.share import Share
from proxy.store.shared import SharedStore, Unreachable

LEASE = 60.0
LIMIT = 10


class Wire:
    """The engine as a store reaches it; the test cuts the wire and turns the clock."""

    def __init__(self) -> None:
        self.engine = SimulatedEngine()
        self.now = 1000.0
        self.is_cut = False
        self.nonsense: list[tuple[int, ...]] = []
        self.calls: asyncio.Queue[float] = asyncio.Queue()
        self.is_closed = False

    async def settle(self, keys: list[str], arguments: list[str | float]) -> list[tuple[int, ...]]:
        self.calls.put_nowait(asyncio.get_running_loop().time())
        if self.is_cut:
            raise Unreachable("cut")
        return self.nonsense or self.engine.settle(self.now, keys, arguments)

    async def close(self) -> None:
        self.is_closed = True


class One:
    """One instance with one shared thing."""

    def __init__(
        self, wire: Wire, clock: Callable[[], float] | None = None, recovery: float = 0.0
    ) -> None:
        self.cuts: list[float] = []
        self.events: list[Event] = []
        self.limit = LIMIT
        self.used = 0
        self.need = 0
        self.news = 0
        self.store = SharedStore(
            wire,
            "group",
            Terms(LEASE, OnStoreDown.LOCAL_SHARE),
            recovery=recovery,
            clock=clock or (lambda: wire.now),
            announce=self.events.append,
            cut_off=lambda: self.cuts.append(wire.now),
        )
        self.share: Share = self.store.share("slots", Stake(self.store.terms), hold=5.0)
        self.remaining = 0.0
        self.share.serve(
            lambda: Wish(self.limit, self.used, self.need), self.hear, lambda: self.remaining
        )
        self.share.begin()

    def hear(self) -> None:
        self.news += 1

    def allowed(self, now: float) -> int:
        return self.share.stake.allowed(now)


async def test_what_one_has_another_has_not() -> None:
    wire = Wire()
    one, two = One(wire), One(wire)
    one.need = two.need = 7
    await one.store.talk()
    await two.store.talk()
    assert (one.allowed(wire.now), two.allowed(wire.now)) == (7, 3)
    assert (one.news, two.news) == (1, 1)


async def test_what_is_built_in_vain_or_over_lowers_nobodys_limit() -> None:
    wire = Wire()
    one, two = One(wire), One(wire)
    other = one.store.share("seats", Stake(one.store.terms), hold=0.0)
    other.serve(lambda: Wish(1, 0, 1), lambda: None, lambda: 0.0)
    theirs = two.store.share("seats", Stake(two.store.terms), hold=0.0)
    theirs.serve(lambda: Wish(LIMIT, 0, 1), lambda: None, lambda: 0.0)
    theirs.begin()

    async def lowest() -> int:
        await one.store.talk()
        await two.store.talk()
        return theirs.stake.agreed(LIMIT)

    assert await lowest() == LIMIT
    other.begin()
    assert await lowest() == 1
    other.drop()
    wire.now += 4.0  # what an instance said is believed for a few seconds
    assert await lowest() == LIMIT


async def test_who_leaves_counts_as_long_as_it_says() -> None:
    wire = Wire()
    one, two = One(wire), One(wire)
    one.need = 8
    await one.store.talk()
    one.used, one.need = 2, 0
    one.remaining = 3.0
    await one.store.leave()
    assert wire.is_closed
    two.need = LIMIT
    await two.store.talk()
    assert two.allowed(wire.now) == LIMIT - 2
    wire.now += 3.0
    await two.store.talk()
    assert two.allowed(wire.now) == LIMIT


async def test_a_store_that_is_lost_is_told_once_and_that_it_is_back_too() -> None:
    wire = Wire()
    one = One(wire)
    one.need = 4
    await one.store.talk()
    wire.is_cut = True
    for _ in range(3):
        wire.now += 1.0
        await one.store.talk()
    assert one.store.is_lost
    assert (one.store.calls, one.store.failures) == (4, 3)
    assert one.store.latency == 0.0
    assert one.allowed(wire.now) == 4
    wire.is_cut = False
    wire.now += 1.0
    await one.store.talk()
    assert one.events == [StoreLost("cut", "local_share"), StoreBack(3.0)]
    assert not one.store.is_lost


async def test_a_store_that_is_new_is_told_once_with_the_time_that_it_takes() -> None:
    wire = Wire()
    one = One(wire, recovery=30.0)
    one.need = 4
    await one.store.talk()
    wire.now += 10.0
    await one.store.talk()
    assert (one.store.new_for, one.allowed(wire.now)) == (20.0, 0)
    wire.now += 20.0
    await one.store.talk()
    assert (one.store.new_for, one.allowed(wire.now)) == (0.0, 4)
    assert one.events == [StoreNew(30.0)]


async def test_rows_that_a_stranger_has_written_are_told_once() -> None:
    wire = Wire()
    one = One(wire, recovery=30.0)
    await one.store.talk()
    wire.now += 30.0
    await one.store.talk()
    wire.engine.write(one.share.key, "a stranger", "whatever")
    for _ in range(2):
        await one.store.talk()
    assert one.events == [StoreNew(30.0), StoreUnreadable(1), StoreNew(30.0)]


async def test_who_goes_by_more_than_another_tells_it_once_until_they_agree_again() -> None:
    wire = Wire()
    one, two = One(wire), One(wire)
    one.share.setting = two.share.setting = "budget.connections"
    one.need = two.need = 1
    told = []
    for two.limit in (LIMIT - 3, LIMIT - 3, LIMIT, LIMIT - 4):
        await two.store.talk()
        await one.store.talk()
        told.append(len(one.events))
    assert told == [1, 1, 1, 2]
    assert one.events[0] == LimitsDiffer("budget.connections", LIMIT, LIMIT - 3)
    assert two.events == []


async def test_limits_that_may_differ_are_told_nowhere() -> None:
    wire = Wire()
    one, two = One(wire), One(wire)
    one.need = two.need = 1
    two.limit = LIMIT - 3
    await two.store.talk()
    await one.store.talk()
    assert one.share.has_lower
    assert one.events == []


async def test_when_the_lease_is_over_without_the_store_everything_is_cut_once() -> None:
    wire = Wire()
    one = One(wire)
    one.need = 4
    await one.store.talk()
    wire.is_cut = True
    wire.now += LEASE - 1
    await one.store.talk()
    assert one.cuts == []
    for _ in range(2):
        wire.now += 1
        await one.store.talk()
    assert one.cuts == [1000.0 + LEASE]
    assert one.store.is_cut_off
    wire.is_cut = False
    await one.store.talk()
    assert not one.store.is_cut_off


async def test_an_answer_without_sense_is_none() -> None:
    wire = Wire()
    one = One(wire)
    for nonsense in ([(1, 2, 3)], [(-1, 0, 0, 0, 0, 0)]):
        wire.nonsense = list(nonsense)
        await one.store.talk()
    assert one.store.failures == 2
    assert one.allowed(wire.now) == 0


async def test_a_risen_need_is_told_at_once_and_the_same_need_only_in_time() -> None:
    wire = Wire()
    one = One(wire, asyncio.get_running_loop().time)
    rest = One(wire)
    rest.need = LIMIT
    await rest.store.talk()  # there is nothing left for the other
    wire.calls = asyncio.Queue()
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(one.store.run())
        first = await wire.calls.get()
        one.need = 3
        one.share.ask()
        second = await wire.calls.get()
        one.share.ask()
        third = await wire.calls.get()
        task.cancel()
    assert second - first < HEARTBEAT
    assert third - second >= POLL * 0.9
