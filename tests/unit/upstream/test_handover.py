from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from proxy.events import CommandsRunAhead
from proxy.ftp.virtual import State
from proxy.refusals import Reason
from proxy.upstream.due import Due
from proxy.upstream.lease import Lease
from proxy.upstream.order import ENOUGH, Order
from proxy.upstream.seat import Seat
from tests.support.basin import ALICE, BOB, Basin, basin
from tests.support.misdeeds import hangs_up, says, says_after
from tests.support.scripted import Scripted, scripted

HOME = State(cwd=b"/")


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted() as server:
        yield server


@pytest.fixture
async def pool(server: Scripted) -> AsyncIterator[Basin]:
    """One session at most, and commands run ahead."""
    async with basin(server, sessions=1, order=Order("on")) as pool:
        yield pool


async def ending(pool: Basin, server: Scripted, until: asyncio.Event) -> tuple[Lease, Due]:
    """Lend a session whose last command is answered only with the event, and hand it on."""
    server.plan("STAT", says_after(until, "226 Done."))
    lease = await pool.lease()
    lease.session.send_transfer(b"STAT")
    due = lease.hand_on()
    assert isinstance(due, Due)
    return lease, due


async def test_the_next_has_the_session_before_the_last_reply(
    pool: Basin, server: Scripted
) -> None:
    go_on = asyncio.Event()
    first, due = await ending(pool, server, go_on)
    assert pool.uses == ["ENDING"]
    assert pool.pool.has_room
    seat = pool.pool.take(ALICE.key(), HOME, ahead=True)
    assert isinstance(seat, Seat)
    second = await pool.pool.ready(seat, ALICE)
    assert second.session is first.session
    second.session.send(b"SYST")
    go_on.set()
    assert (await second.session.final()).code == 215
    assert (await due.final()).code == 226
    first.release()
    assert pool.uses == ["LENT"]
    second.release()
    assert pool.uses == ["IDLE"]


async def test_a_session_nobody_took_goes_back_with_its_last_reply(
    pool: Basin, server: Scripted
) -> None:
    go_on = asyncio.Event()
    first, due = await ending(pool, server, go_on)
    go_on.set()
    await due.final()
    assert pool.uses == ["ENDING"]
    first.release()
    assert pool.uses == ["IDLE"]


async def test_who_leaves_before_the_last_reply_leaves_it_to_be_drained(
    pool: Basin, server: Scripted
) -> None:
    go_on = asyncio.Event()
    first, _ = await ending(pool, server, go_on)
    first.release()
    assert pool.uses == ["SETTLING"]
    go_on.set()
    await pool.until(lambda: pool.uses == ["IDLE"])
    again = await pool.lease()
    assert (await again.session.ask(b"SYST")).code == 215
    again.release()


async def test_who_took_it_and_leaves_at_once_leaves_the_same(
    pool: Basin, server: Scripted
) -> None:
    go_on = asyncio.Event()
    first, due = await ending(pool, server, go_on)
    seat = pool.pool.take(ALICE.key(), HOME, ahead=True)
    assert isinstance(seat, Seat)
    first.release()
    assert pool.uses == ["LENT"]
    pool.pool.forgo(seat)
    assert pool.uses == ["SETTLING"]
    go_on.set()
    await pool.until(lambda: pool.uses == ["IDLE"])
    assert due.is_settled


@pytest.mark.parametrize(
    ("wanted", "ahead"),
    [(HOME, False), (State(cwd=b"/elsewhere"), True), (State(cwd=b"/", type=b"I"), True)],
)
async def test_nothing_is_replayed_ahead(
    pool: Basin, server: Scripted, wanted: State, ahead: bool
) -> None:
    go_on = asyncio.Event()
    first, due = await ending(pool, server, go_on)
    assert pool.pool.take(ALICE.key(), wanted, ahead=ahead) is Reason.UPSTREAM_SESSIONS
    go_on.set()
    await due.final()
    first.release()


async def test_another_login_never_comes_ahead(pool: Basin, server: Scripted) -> None:
    go_on = asyncio.Event()
    first, due = await ending(pool, server, go_on)
    assert pool.pool.take(BOB.key(), HOME, ahead=True) is Reason.UPSTREAM_SESSIONS
    go_on.set()
    await due.final()
    first.release()


async def test_what_is_not_nearly_over_is_not_handed_on(pool: Basin) -> None:
    lease = await pool.lease()
    assert lease.hand_on() is lease.session  # nothing is owed
    lease.session.send(b"NOOP", b"NOOP")
    assert lease.hand_on() is lease.session
    await lease.session.final()
    await lease.session.final()
    lease.release()


async def test_the_order_is_tried_with_what_harms_nobody(server: Scripted) -> None:
    order = Order("auto")
    order._least = 0.0
    async with basin(server, sessions=1, order=order) as pool:
        for _ in range(ENOUGH):
            lease, due = await ending(pool, server, _set())
            assert pool.uses == ["LENT"]
            assert (await due.final()).code == 226
            lease.release()
            await pool.until(lambda: pool.uses == ["IDLE"])
        assert server.count("NOOP") == ENOUGH
        assert order.is_proven
        assert [event.allowed for event in pool.told(CommandsRunAhead)] == [True]


async def test_a_server_that_answers_out_of_turn_is_never_sent_anything_ahead(
    server: Scripted,
) -> None:
    order = Order("auto")
    order._least = 0.0
    async with basin(server, sessions=1, order=order) as pool:
        server.plan("STAT", says())
        server.plan("NOOP", says("200 Here.", "226 Done."))
        lease = await pool.lease()
        lease.session.send_transfer(b"STAT")
        due = lease.hand_on()
        assert (await due.final()).code == 226
        lease.release()
        await pool.until(lambda: not pool.pool.seats)
        assert order.is_broken
        assert [event.allowed for event in pool.told(CommandsRunAhead)] == [False]


async def test_a_server_that_hangs_up_instead_proves_nothing(server: Scripted) -> None:
    order = Order("auto")
    order._least = 0.0
    async with basin(server, sessions=1, order=order) as pool:
        server.plan("NOOP", hangs_up)
        lease, due = await ending(pool, server, _set())
        assert (await due.final()).code == 226
        lease.release()
        await pool.until(lambda: not pool.pool.seats)
        assert not order.is_proven
        assert not order.is_broken


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event
