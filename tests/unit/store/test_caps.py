"""Caps of classes that two instances keep together; the store is the real script."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from loadtest.simulation.engine import SimulatedEngine
from proxy.shaping.quota import MINUTE, Limits
from proxy.shaping.stake import OnStoreDown, Terms
from proxy.store.caps import SAY, WANTED, Caps
from proxy.store.shared import MOST_AT_ONCE, SharedStore, Unreachable

LEASE = 60.0
KEY = ("few", "192.0.2.1")
TWO = Limits(sessions=2, transfers=2)


class Wire:
    """The one engine that all instances reach, while it is not cut."""

    def __init__(self) -> None:
        self.engine = SimulatedEngine()
        self.now = 1000.0
        self.is_cut = False
        self.most_keys = 0

    async def settle(self, keys: list[str], arguments: list[str | float]) -> list[tuple[int, ...]]:
        if self.is_cut:
            raise Unreachable("cut")
        self.most_keys = max(self.most_keys, len(keys))
        return self.engine.settle(self.now, keys, arguments)

    async def close(self) -> None:
        return


class One:
    """One instance: its caps and its store."""

    def __init__(self, wire: Wire, clock: Callable[[], float] | None = None) -> None:
        self.wire = wire
        self.store = SharedStore(
            wire,
            "group",
            Terms(LEASE, OnStoreDown.LOCAL_SHARE),
            recovery=0.0,
            clock=lambda: wire.now,
            announce=lambda event: None,
        )
        self.caps = Caps(self.store, clock or (lambda: wire.now))

    async def enters(self) -> bool:
        """Let a session in as soon as the store has had its say, or not."""
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            entering = tasks.create_task(self.caps.enter_session(KEY, TWO))
            await asyncio.sleep(0)
            if not entering.done():
                await self.store.talk()
                await asyncio.sleep(0)
            if not entering.done():
                self.wire.now += SAY
                await self.store.talk()
        return entering.result()

    async def may_transfer(self, limits: Limits) -> bool:
        """Ask for a transfer, let the store have its say, and ask again."""
        if self.caps.transfer_wait(KEY, limits) != 0.0:
            await self.store.talk()
        return self.caps.transfer_wait(KEY, limits) == 0.0

    async def rest(self) -> None:
        """Let it be known that nothing is wanted any more."""
        self.wire.now += WANTED
        await self.store.talk()


async def test_two_instances_count_one_cap() -> None:
    wire = Wire()
    one, two = One(wire), One(wire)
    assert await one.enters()
    await one.rest()
    assert await two.enters()
    assert not await one.enters()
    assert not await two.enters()


async def test_what_one_no_longer_uses_another_may() -> None:
    wire = Wire()
    one, two = One(wire), One(wire)
    assert await one.enters()
    assert await one.enters()
    assert not await two.enters()
    one.caps.leave_session(KEY)
    await one.rest()
    assert await two.enters()


async def test_a_cap_that_nobody_uses_is_forgotten() -> None:
    wire = Wire()
    one = One(wire)
    assert await one.enters()
    one.caps.leave_session(KEY)
    await one.rest()
    await one.rest()
    assert one.caps.shared == 0


async def test_transfers_at_once_and_in_a_minute_are_counted_together() -> None:
    wire = Wire()
    one, two = One(wire), One(wire)
    limits = Limits(transfers=2, transfers_per_minute=3)
    for who in (one, one):
        assert await who.may_transfer(limits)
        who.caps.start_transfer(KEY, limits)
    assert one.caps.transfer_wait(KEY, limits) is None
    assert not await two.may_transfer(limits)  # two at once
    for _ in range(2):
        one.caps.end_transfer(KEY)
    await one.rest()
    assert await two.may_transfer(limits)
    two.caps.start_transfer(KEY, limits)
    two.caps.end_transfer(KEY)
    assert not await two.may_transfer(limits)  # three in a minute
    wire.now += MINUTE
    await one.rest()
    assert await two.may_transfer(limits)


async def test_a_busy_source_does_not_ask_for_each_transfer_and_keeps_nothing_from_another() -> (
    None
):
    wire = Wire()
    one, two = One(wire), One(wire)
    limits, answers = Limits(transfers_per_minute=200), 0
    for _ in range(180):
        if one.caps.transfer_wait(KEY, limits) is None:
            await one.store.talk()
            answers += 1
        assert one.caps.transfer_wait(KEY, limits) == 0.0
        one.caps.start_transfer(KEY, limits)
    assert answers < 60
    await one.rest()
    for _ in range(20):
        assert await two.may_transfer(limits)
        two.caps.start_transfer(KEY, limits)
    assert not await two.may_transfer(limits)


@pytest.mark.parametrize("limits", [Limits(), TWO])
async def test_alone_or_without_a_cap_nobody_is_asked(limits: Limits) -> None:
    wire = Wire()
    alone = Caps(None, lambda: wire.now)
    assert await alone.enter_session(KEY, limits)
    assert alone.transfer_wait(KEY, limits) == 0.0
    one = One(wire)
    assert await one.caps.enter_session(KEY, Limits())
    assert one.caps.shared == alone.shared == 0


async def test_while_the_store_is_lost_each_keeps_the_caps_alone() -> None:
    wire = Wire()
    one = One(wire)
    wire.is_cut = True
    await one.store.talk()
    assert [await one.caps.enter_session(KEY, TWO) for _ in range(3)] == [True, True, False]


async def test_a_session_may_move_where_there_is_no_room() -> None:
    wire = Wire()
    caps = Caps(None, lambda: wire.now)
    new, one = ("new", KEY[1]), Limits(sessions=1)
    for key in (KEY, new):
        assert await caps.enter_session(key, one)
    caps.move_session(KEY, new)
    assert not await caps.enter_session(new, one)
    assert await caps.enter_session(KEY, one)


async def test_who_gets_no_word_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.store.caps.SAY", 0.01)
    monkeypatch.setattr("proxy.store.caps.SILENCE", 0.05)
    one = One(Wire(), asyncio.get_running_loop().time)
    async with asyncio.timeout(20):
        assert not await one.caps.enter_session(KEY, TWO)


async def test_a_crowd_that_comes_at_once_is_let_in_by_one_answer() -> None:
    one = One(Wire())
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        crowd = [
            tasks.create_task(one.caps.enter_session(KEY, Limits(sessions=50))) for _ in range(40)
        ]
        await asyncio.sleep(0)
        await one.store.talk()
    assert all(task.result() for task in crowd)
    assert not one.caps._newcomers


async def test_nobody_is_refused_before_the_store_has_said_no(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A machine that has no time to ask is no reason to say that all places are taken."""
    monkeypatch.setattr("proxy.store.caps.SAY", 0.0)
    wire = Wire()
    one = One(wire)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        entering = tasks.create_task(one.caps.enter_session(KEY, TWO))
        await asyncio.sleep(0)
        wire.now += 3 * SAY
        for _ in range(20):
            await asyncio.sleep(0)
        assert not entering.done()
        await one.store.talk()
    assert entering.result()


async def test_many_caps_are_told_in_several_calls() -> None:
    wire = Wire()
    one = One(wire)
    keys = [("few", f"source-{number}") for number in range(2 * MOST_AT_ONCE)]
    limits = Limits(transfers=1)
    assert all(one.caps.transfer_wait(key, limits) is None for key in keys)
    for _ in range(2):
        await one.store.talk()
    assert wire.most_keys == MOST_AT_ONCE
    assert all(one.caps.transfer_wait(key, limits) == 0.0 for key in keys)
    await one.store.leave()
