from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest

from proxy.gate import patience
from proxy.gate.gate import Gate
from proxy.gate.request import Permit, Request, Source
from proxy.refusals import Declined, Reason
from proxy.shaping.holds import Ending, explicit
from proxy.shaping.ledger import Kind
from proxy.shaping.quota import Limits
from proxy.shaping.tolerance import Tolerance
from proxy.store.caps import Caps
from proxy.upstream.dial import DialError, TurnedAway
from tests.support.basin import ALICE, BOB, Basin, basin
from tests.support.raw_client import patiently
from tests.support.scripted import Scripted, scripted

NO_LIMITS = Limits(None, None, None, 1.0)
A, B = Source("192.0.2.1", "all", NO_LIMITS), Source("192.0.2.2", "all", NO_LIMITS)
Asked = partial(Request, since=0.0)


class Door:
    """A gate before a pool, and the requests that went through it."""

    def __init__(self, pool: Basin, *, max_wait: float = 40.0, max_length: int = 100) -> None:
        self.pool = pool
        self.gate = Gate(
            fleet=pool.fleet,
            max_wait=max_wait,
            max_length=max_length,
            clock=pool.clock,
            caps=Caps(None, pool.clock),
        )
        self.served: list[str] = []

    async def pass_through(self, name: str, source: Source = A, **more: object) -> Permit:
        request = Request(source, Kind.DOWNLOAD, since=self.pool.clock())
        permit = await self.gate.admit(request)
        self.served.append(name)
        return permit

    async def until_waiting(self, number: int) -> None:
        for _ in range(1000):
            if self.gate.waiting == number:
                return
            await asyncio.sleep(0)
        raise TimeoutError(f"{self.gate.waiting} wait, not {number}")


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted() as server:
        yield server


async def test_who_finds_everything_free_goes_at_once(server: Scripted) -> None:
    async with basin(server, budget=3) as pool:
        permit = await Door(pool).pass_through("first")
        assert permit.misjudged is None
        assert pool.budget.open == 1
        permit.settle(Ending.FIN)
        permit.settle(Ending.FIN)
        assert pool.budget.open == 0


async def test_who_comes_too_many_waits_until_a_slot_comes_back(server: Scripted) -> None:
    async with basin(server, sessions=1, budget=2) as pool, asyncio.TaskGroup() as tasks:
        door = Door(pool)
        first = await door.pass_through("first")  # one place is kept for the control connection
        second = tasks.create_task(door.pass_through("second"))
        await door.until_waiting(1)
        pool.now += 2.0
        first.settle(Ending.FIN)
        permit = await second
        assert permit.misjudged is not None
        assert permit.misjudged <= 2.0
        assert door.gate.waiting == 0
        permit.settle(None)
    assert pool.budget.used == 0


async def test_time_alone_lets_the_next_one_go(server: Scripted) -> None:
    async with basin(server, sessions=1, budget=2, hold=0.02) as pool:
        loop = asyncio.get_running_loop()
        pool.clock = loop.time  # type: ignore[method-assign]  # timers of the loop need its clock
        pool.budget._clock = pool.pool._clock = loop.time
        door = Door(pool)
        (await door.pass_through("first")).settle(Ending.FIN)
        async with patiently():
            permit = await door.pass_through("second")
        assert permit.misjudged is not None
        permit.settle(None)


async def test_sources_take_turns(server: Scripted) -> None:
    async with basin(server, sessions=1, budget=2) as pool, asyncio.TaskGroup() as tasks:
        door = Door(pool)
        running = await door.pass_through("first")
        waiting = []
        for name, source in (("a1", A), ("a2", A), ("a3", A), ("b1", B), ("b2", B)):
            waiting.append(tasks.create_task(door.pass_through(name, source)))
            await door.until_waiting(len(waiting))
        for count in range(len(waiting)):
            running.settle(None)
            async with patiently():
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            done = next(task for task in waiting if task.done())
            waiting.remove(done)
            running = done.result()
            assert door.gate.waiting == 4 - count
        running.settle(None)
    assert sorted(door.served[1:5]) == ["a1", "a2", "b1", "b2"]
    assert door.served.index("a1") < door.served.index("a2") < door.served.index("a3")


async def test_a_full_queue_is_told_at_once(server: Scripted) -> None:
    async with basin(server, sessions=1, budget=2) as pool:
        door = Door(pool, max_length=0)
        permit = await door.pass_through("first")
        with pytest.raises(Declined) as caught:
            await door.pass_through("second")
        assert caught.value.reason is Reason.QUEUE_FULL
        assert caught.value.limit == 0
        permit.settle(None)


async def test_who_would_wait_too_long_is_told_at_once(server: Scripted) -> None:
    async with basin(server, sessions=1, budget=2, hold=100.0) as pool:
        door = Door(pool, max_wait=40.0)
        (await door.pass_through("first")).settle(Ending.FIN)
        with pytest.raises(Declined) as caught:
            await door.pass_through("second")
        assert caught.value.reason is Reason.BUDGET  # nobody waits: the budget alone is the cause
        assert (caught.value.used, caught.value.limit) == (2, 2)
        assert caught.value.retry == 100.0
        assert door.gate.waiting == 0


async def test_who_waited_its_time_is_told_so(server: Scripted) -> None:
    async with basin(server, sessions=1) as pool:
        door = Door(pool)
        first = await door.gate.admit(Request(A, key=ALICE.key(), since=pool.now))
        with pytest.raises(Declined) as caught:
            await door.gate.admit(Request(A, key=BOB.key(), since=pool.now - 40.001))
        assert caught.value.reason is Reason.UPSTREAM_SESSIONS
        assert caught.value.waited == 40
        assert (caught.value.used, caught.value.limit) == (1, 1)
        assert first.seat is not None
        pool.pool.forgo(first.seat)


async def test_who_follows_another_is_seen_to_wait_is_fed_and_has_a_deadline_too(
    server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "FEED_EVERY", 0.001)
    async with basin(server) as pool, asyncio.TaskGroup() as tasks, patiently():
        door = Door(pool)
        fed: asyncio.Queue[float] = asyncio.Queue()
        request = Request(A, Kind.LISTING, since=pool.now - 30.0, feed=fed.put_nowait)
        never = asyncio.get_running_loop().create_future()
        following = tasks.create_task(door.gate.follow(request, never))
        assert await fed.get() == 30.0
        assert (list(door.gate.line), door.gate.waiting) == ([request], 1)
        pool.now += 10.0
        await following
        assert door.gate.waiting == 0
        assert not never.done()


async def test_who_leaves_the_queue_frees_its_place_at_once(server: Scripted) -> None:
    async with basin(server, sessions=1, budget=2) as pool:
        door = Door(pool)
        permit = await door.pass_through("first")
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(door.pass_through("second"))
            await door.until_waiting(1)
            waiting.cancel()
        assert door.gate.waiting == 0
        permit.settle(None)
        assert pool.budget.used == 0


async def test_who_leaves_in_the_very_moment_of_its_turn_gives_everything_back(
    server: Scripted,
) -> None:
    async with basin(server, sessions=1, budget=2) as pool:
        door = Door(pool)
        permit = await door.pass_through("first")
        async with asyncio.TaskGroup() as tasks:
            request = Request(A, Kind.DOWNLOAD, ALICE.key(), since=pool.now)
            waiting = tasks.create_task(door.gate.admit(request))
            await door.until_waiting(1)
            permit.settle(None)
            assert door.gate.waiting == 0
            assert len(pool.pool.seats) == 1
            waiting.cancel()
        assert pool.budget.used == 0
        assert not pool.pool.seats


async def test_nobody_holds_a_slot_while_it_waits_for_a_session(server: Scripted) -> None:
    async with basin(server, sessions=1, budget=10) as pool, asyncio.TaskGroup() as tasks:
        door = Door(pool)
        first = await door.gate.admit(Request(A, key=ALICE.key(), since=pool.now))
        request = Request(B, Kind.DOWNLOAD, ALICE.key(), since=pool.now)
        waiting = tasks.create_task(door.gate.admit(request))
        await door.until_waiting(1)
        assert request.blocked is Reason.UPSTREAM_SESSIONS
        assert pool.budget.open == 1
        assert first.seat is not None
        pool.pool.forgo(first.seat)
        permit = await waiting
        assert permit.seat is not None
        pool.pool.forgo(permit.seat)
        permit.settle(None)


async def test_a_proof_serves_who_only_asks_whether_the_login_is_good(server: Scripted) -> None:
    async with basin(server, sessions=1) as pool:
        door = Door(pool)
        lease = await pool.lease()
        permit = await door.gate.admit(
            Request(A, key=ALICE.key(), is_login=True, proof_serves=True, since=pool.now)
        )
        assert permit.seat is None
        assert permit.proof is not None
        assert permit.proof.home == b"/"
        lease.release()


async def test_a_login_that_is_vouched_for_is_none_the_worse_for_a_dial_that_failed(
    server: Scripted,
) -> None:
    async with basin(server) as pool:
        door, lent = Door(pool), await pool.lease()
        pool.pool.troubles.failed(DialError(Reason.UPSTREAM_DOWN, "refuses"), pool.now, outage=0.0)
        vouched = Asked(A, key=ALICE.key(), is_login=True, proof_serves=True)
        assert door.gate.trouble(vouched) is None
        assert str(door.gate.trouble(Asked(A, key=BOB.key(), is_login=True))) == "refuses"
        assert (await door.gate.admit(vouched)).proof is not None
        lent.release()


async def test_who_waits_for_a_session_is_told_of_an_outage_once_it_is_no_restart(
    server: Scripted,
) -> None:
    async with basin(server, sessions=1) as pool, asyncio.TaskGroup() as tasks:
        door, only = Door(pool), await pool.lease()
        login = Request(A, key=BOB.key(), is_login=True, since=pool.now)
        waiting = tasks.create_task(turned_away(door.gate, login))
        await door.until_waiting(1)

        def turn_away(outage: float) -> None:
            pool.pool.troubles.failed(TurnedAway("No."), pool.now, outage)
            pool.pool.rouse()

        turn_away(outage=0.0)
        assert door.gate.waiting == 1  # the server serves a session of ours
        turn_away(outage=10.0)
        only.release()
        await pool.pool.close()
        assert door.gate.waiting == 1  # it may be a restart
        pool.now += 10.0
        turn_away(outage=10.0)
        assert door.gate.waiting == 0
        told = await waiting
    assert (told.reason, told.words) == (Reason.UPSTREAM_REFUSED, "No.")


async def turned_away(gate: Gate, request: Request) -> Declined:
    with pytest.raises(Declined) as caught:
        await gate.admit(request)
    return caught.value


async def test_a_class_has_so_many_transfers_and_the_others_do_not_wait_for_it(
    server: Scripted,
) -> None:
    few = Source("192.0.2.3", "few", Limits(None, 1, None, 1.0))
    async with basin(server) as pool, asyncio.TaskGroup() as tasks:
        door = Door(pool)
        first = await door.pass_through("few 1", few)
        waiting = tasks.create_task(door.pass_through("few 2", few))
        await door.until_waiting(1)
        (await door.pass_through("other", B)).settle(None)
        assert door.served == ["few 1", "other"]
        first.settle(None)
        (await waiting).settle(None)


async def test_a_class_has_so_many_transfers_a_minute(server: Scripted) -> None:
    paced = Source("192.0.2.4", "paced", Limits(None, None, 2, 1.0))
    async with basin(server) as pool:
        door = Door(pool, max_wait=5.0)
        for _ in range(2):
            (await door.pass_through("in time", paced)).settle(None)
        with pytest.raises(Declined) as caught:
            await door.pass_through("too soon", paced)
        assert caught.value.reason is Reason.CLASS_RATE
        assert caught.value.retry == pytest.approx(60.0)
        pool.now += 60.0
        (await door.pass_through("next minute", paced)).settle(None)


async def test_a_larger_budget_lets_those_go_on_who_wait(server: Scripted) -> None:
    async with basin(server, budget=3) as pool, asyncio.TaskGroup() as tasks:
        door = Door(pool)
        first = await door.pass_through("first")
        second = tasks.create_task(door.pass_through("second"))
        await door.until_waiting(1)
        pool.budget.adopt(Tolerance(9, explicit(0.0)))
        door.gate.adopt(max_wait=40.0, max_length=100)
        (await second).settle(Ending.FIN)
        first.settle(Ending.FIN)


async def test_a_shorter_queue_turns_newcomers_away_and_nobody_who_waits(server: Scripted) -> None:
    async with basin(server, budget=3) as pool, asyncio.TaskGroup() as tasks:
        door = Door(pool)
        first = await door.pass_through("first")
        second = tasks.create_task(door.pass_through("second"))
        await door.until_waiting(1)
        door.gate.adopt(max_wait=40.0, max_length=1)
        with pytest.raises(Declined) as declined:
            await door.pass_through("third")
        assert (declined.value.reason, declined.value.limit) == (Reason.QUEUE_FULL, 1)
        first.settle(Ending.FIN)
        (await second).settle(Ending.FIN)


async def test_a_closed_gate_turns_away_who_waits_and_who_comes(server: Scripted) -> None:
    async with basin(server, budget=3) as pool:
        door = Door(pool)
        first = await door.pass_through("first")
        async with asyncio.TaskGroup() as tasks:
            second = tasks.create_task(refusal_of(door))
            await door.until_waiting(1)
            door.gate.close()
            assert await second is Reason.DRAINING
        assert await refusal_of(door) is Reason.DRAINING
        assert door.gate.waiting == 0
        first.settle(Ending.FIN)


class Trap(int):
    """A cap that cannot be compared any more once it has sprung: a fault, as nobody foresees it."""

    has_sprung = False

    def __le__(self, other: int) -> bool:
        if self.has_sprung:
            raise RuntimeError("sprung")
        return int(self) <= other


async def test_a_fault_is_met_by_whom_it_concerns_not_by_whose_end_made_room(
    server: Scripted,
) -> None:
    trap = Trap(9)
    unlucky = Source("192.0.2.5", "unlucky", Limits(None, trap, None, 1.0))
    async with basin(server, budget=4) as pool, asyncio.TaskGroup() as tasks:
        door = Door(pool)
        first, second = await door.pass_through("1", unlucky), await door.pass_through("2")
        third = tasks.create_task(faults(door, unlucky))
        await door.until_waiting(1)
        fourth = tasks.create_task(door.pass_through("4", B))
        await door.until_waiting(2)
        trap.has_sprung = True
        second.settle(Ending.FIN)
        assert await third == "sprung"
        (await fourth).settle(Ending.FIN)
        first.settle(Ending.FIN)


async def faults(door: Door, source: Source) -> str:
    with pytest.raises(RuntimeError) as fault:
        await door.pass_through("unlucky", source)
    return str(fault.value)


async def refusal_of(door: Door) -> Reason:
    with pytest.raises(Declined) as declined:
        await door.pass_through("late")
    return declined.value.reason
