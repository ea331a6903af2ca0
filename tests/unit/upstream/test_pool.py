from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from proxy.events import UpstreamClosed
from proxy.ftp.virtual import State
from proxy.net.fault import GONE_SILENT
from proxy.refusals import Reason
from proxy.upstream.dial import DialError
from proxy.upstream.identity import Credentials
from proxy.upstream.seat import Seat
from tests.support.basin import ALICE, BOB, basin
from tests.support.misdeeds import says, waits_for
from tests.support.scripted import Scripted, scripted

CAROL = Credentials(b"carol", b"christmas")


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted() as server:
        yield server


async def test_a_seat_that_was_taken_is_nobody_elses(server: Scripted) -> None:
    async with basin(server, sessions=1) as pool:
        lease = await pool.lease()
        assert pool.pool.take(ALICE.key(), None) is Reason.UPSTREAM_SESSIONS
        assert not pool.pool.has_room
        lease.release()
        assert pool.pool.has_room


async def test_a_released_session_is_lent_again_without_a_login(server: Scripted) -> None:
    async with basin(server) as pool:
        first = await pool.lease()
        first.release()
        second = await pool.lease()
        assert second.session is first.session
        second.release()
    assert server.logins == 1
    assert server.verbs[:2] == ["USER", "PASS"]
    assert server.verbs[-1] == "QUIT"
    assert [event.leases for event in pool.told(UpstreamClosed)] == [2]


async def test_a_lease_released_twice_is_given_back_once(server: Scripted) -> None:
    async with basin(server) as pool:
        lease = await pool.lease()
        lease.release()
        again = await pool.lease()
        lease.release()
        assert pool.uses == ["LENT"]
        again.release()


async def test_the_session_in_the_wanted_state_is_preferred(server: Scripted) -> None:
    async with basin(server) as pool:
        one, two = await pool.lease(), await pool.lease()
        one.session.state.cwd, two.session.state.cwd = b"/one", b"/two"
        for lease in (one, two):
            lease.release()
        again = await pool.lease(wanted=State(cwd=b"/one"))
        assert again.session is one.session
        again.release()


async def test_the_session_used_last_is_preferred_otherwise(server: Scripted) -> None:
    async with basin(server) as pool:
        one, two = await pool.lease(), await pool.lease()
        two.release()
        pool.now += 1
        one.release()
        again = await pool.lease()
        assert again.session is one.session
        again.release()


async def test_another_login_gets_the_place_idle_longest_and_never_one_too_many(
    server: Scripted,
) -> None:
    async with basin(server) as pool:
        one, two = await pool.lease(), await pool.lease()
        one.release()
        pool.now += 1
        two.release()
        bobs = await pool.lease(BOB)
        assert server.visits[2].user == b"bob"
        assert one.session.channel.ended
        assert not two.session.channel.ended
        bobs.release()
        await pool.until(lambda: len(pool.pool.seats) == 2)
    assert server.most == 2
    assert pool.told(UpstreamClosed)[0].reason == "made room for another login"


async def test_a_session_in_use_does_not_hide_another_that_may_leave(server: Scripted) -> None:
    async with basin(server) as pool:
        old, new = await pool.lease(BOB), await pool.lease()
        pool.now += 10
        new.release()
        new.session.opened_at = pool.now  # as if just logged in, and idle longest all the same
        pool.now += 0.01
        old.release()
        pool.now += 0.01
        may_leave = pool.pool.spare_at(stay=1.0)
        assert may_leave is not None
        assert may_leave <= pool.now
        seat = pool.pool.take(CAROL.key(), None, stay=1.0)
        assert isinstance(seat, Seat)
        (await pool.pool.ready(seat, CAROL)).release()
    assert [event.user for event in pool.told(UpstreamClosed)][0] == "bob"


async def test_an_idle_session_is_closed_in_time(server: Scripted) -> None:
    async with basin(server, idle=60.0) as pool:
        (await pool.lease()).release()
        pool.now += 60
        pool.pool.sweep()
        assert pool.uses == ["IDLE"]
        pool.now += 1
        pool.pool.sweep()
        await pool.until(lambda: not pool.pool.seats)
    assert pool.told(UpstreamClosed)[0].reason == "idle"
    assert server.count("QUIT") == 1


async def test_an_old_session_is_retired_when_it_comes_back_or_lies_idle(
    server: Scripted,
) -> None:
    async with basin(server, lifetime=60.0, idle=1e6) as pool:
        lent, idle = await pool.lease(), await pool.lease()
        idle.release()
        pool.now += 61
        lent.release()
        pool.pool.sweep()
        await pool.until(lambda: not pool.pool.seats)
    assert {event.reason for event in pool.told(UpstreamClosed)} == {"lifetime over"}


async def test_a_session_that_stirs_while_idle_is_closed(server: Scripted) -> None:
    async with basin(server) as pool:
        (await pool.lease()).release()
        await server.visits[0].say("421 Timeout.")
        await pool.until(lambda: not pool.pool.seats)
    assert pool.told(UpstreamClosed)[0].reason == "server hung up"
    assert server.count("QUIT") == 0


async def test_a_session_that_owes_a_reply_is_drained_before_it_is_lent_again(
    server: Scripted,
) -> None:
    go_on = asyncio.Event()
    server.plan("NOOP", waits_for(go_on, "NOOP"))
    async with basin(server, sessions=1) as pool:
        lease = await pool.lease()
        lease.session.send(b"NOOP")
        lease.release()
        assert pool.uses == ["SETTLING"]
        assert pool.pool.take(ALICE.key(), None) is Reason.UPSTREAM_SESSIONS
        go_on.set()
        await pool.until(lambda: pool.pool.has_room)
        again = await pool.lease()
        assert again.session is lease.session
        assert (await again.session.ask(b"SYST")).code == 215
        again.release()
    assert server.logins == 1


async def test_a_spoilt_session_is_never_lent_again(server: Scripted) -> None:
    async with basin(server, sessions=1) as pool:
        lease = await pool.lease()
        lease.session.spoil()
        lease.release()
        await pool.until(lambda: pool.pool.has_room)
        again = await pool.lease()
        assert again.session is not lease.session
        again.release()
    assert server.most == 1


async def test_a_session_that_said_421_is_never_lent_again(server: Scripted) -> None:
    server.plan("NOOP", says("421 Timeout."))  # and stays connected
    async with basin(server, sessions=1) as pool:
        lease = await pool.lease()
        with pytest.raises(Exception, match="closed"):
            await lease.session.ask(b"NOOP")
        lease.release()
        await pool.until(lambda: pool.pool.has_room)
        (await pool.lease()).release()
    assert server.logins == 2


async def test_a_seat_that_was_not_used_is_free_again(server: Scripted) -> None:
    async with basin(server, sessions=1) as pool:
        seat = pool.pool.take(ALICE.key(), None)
        assert isinstance(seat, Seat)
        assert pool.pool.places.unfilled == 0
        pool.pool.forgo(seat)
        assert pool.pool.places.unfilled == pool.pool.places.limit == 1
        assert pool.budget.used == 0
        (await pool.lease()).release()
        warm = pool.pool.take(ALICE.key(), None)
        assert isinstance(warm, Seat)
        pool.pool.forgo(warm)
        assert pool.uses == ["IDLE"]


async def test_a_seat_for_another_login_not_used_still_frees_its_place(server: Scripted) -> None:
    async with basin(server, sessions=1) as pool:
        (await pool.lease()).release()
        seat = pool.pool.take(BOB.key(), None)
        assert isinstance(seat, Seat)
        pool.pool.forgo(seat)
        await pool.until(lambda: not pool.pool.seats)


async def test_a_control_connection_waits_for_the_budget_too(server: Scripted) -> None:
    async with basin(server, budget=1, hold=30.0) as pool:
        lease = await pool.lease()
        assert pool.pool.take(ALICE.key(), None) is Reason.BUDGET
        lease.session.spoil()
        lease.release()
        await pool.until(lambda: not pool.pool.seats)
        assert pool.pool.take(ALICE.key(), None) is Reason.BUDGET
        pool.now += 30
        (await pool.lease()).release()


async def test_a_closing_pool_lends_nothing_new_and_says_quit(server: Scripted) -> None:
    async with basin(server) as pool:
        lease = await pool.lease()
        (await pool.lease()).release()
        async with asyncio.TaskGroup() as tasks:
            closing = tasks.create_task(pool.pool.close())
            await server.until_heard("QUIT")
            assert pool.pool.take(BOB.key(), None) is Reason.UPSTREAM_SESSIONS
            lease.release()
            await closing
    assert server.count("QUIT") == 2


# Other settings.


async def test_other_settings_leave_sessions_in_order_alone(server: Scripted) -> None:
    async with basin(server) as pool:
        first = await pool.lease()
        first.release()
        facts = pool.pool.facts
        pool.adopt(server.port)
        again = await pool.lease()
        assert again.session is first.session
        assert pool.pool.facts is facts
        again.release()


async def test_fewer_sessions_are_reached_by_attrition(server: Scripted) -> None:
    async with basin(server, sessions=3) as pool:
        lent, also, idle = [await pool.lease() for _ in range(3)]
        idle.release()
        pool.adopt(server.port, sessions=1)
        await pool.until(lambda: pool.uses == ["LENT", "LENT"])
        lent.release()
        await pool.until(lambda: pool.uses == ["LENT"])
        also.release()
        assert pool.uses == ["IDLE"]
        reasons = [event.reason for event in pool.told(UpstreamClosed)]
        assert reasons == ["fewer sessions allowed"] * 2


async def test_more_sessions_are_there_at_once(server: Scripted) -> None:
    async with basin(server, sessions=2) as pool:
        leases = [await pool.lease()]
        pool.adopt(server.port, sessions=1)
        assert not pool.pool.has_room
        pool.adopt(server.port, sessions=2)
        leases.append(await pool.lease())
        for lease in leases:
            lease.release()


async def test_a_session_whose_server_fell_silent_tells_of_it(server: Scripted) -> None:
    async with basin(server) as pool:
        heard: list[DialError | None] = []
        pool.pool.troubles.when_dialled(heard.append)
        lease = await pool.lease()
        heard.clear()
        lease.session.channel.connection_lost(TimeoutError(110, "Connection timed out"))
        lease.release()
        assert [str(problem) for problem in heard] == [GONE_SILENT.words]
        lease.session.channel.abort()
        await pool.until(lambda: not pool.pool.seats)
