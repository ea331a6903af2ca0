from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from loadtest.ports import free_port
from proxy.events import UpstreamClosed, UpstreamOpened, UpstreamRefused
from proxy.refusals import Reason
from proxy.upstream.dial import Busy, Dialer, DialError, LoginRefused, TurnedAway
from proxy.upstream.identity import Credentials
from proxy.upstream.seat import Seat
from proxy.upstream.session import UpstreamSession
from proxy.upstream.troubles import FIRST_BACKOFF, FRESH, LONGEST_BACKOFF
from tests.support.basin import ALICE, BOB, QUICK, basin
from tests.support.misdeeds import keeps_silent, last_says, spits, waits_for
from tests.support.scripted import GREETING, Scripted, scripted


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted() as server:
        yield server


async def test_two_logins_never_share_a_session(server: Scripted) -> None:
    wrong = Credentials(b"alice", b"wrong")
    server.passwords = {b"alice": b"secret"}
    async with basin(server) as pool:
        (await pool.lease()).release()
        with pytest.raises(LoginRefused, match="Login incorrect"):
            await pool.lease(wrong, verify=True)
        assert pool.pool.vouches_for(wrong.key()) is None
        assert pool.pool.vouches_for(ALICE.key())
        await pool.until(lambda: len(pool.pool.seats) == 1)


async def test_one_unproven_login_at_a_time(server: Scripted) -> None:
    go_on = asyncio.Event()
    server.plan("PASS", waits_for(go_on, "PASS"))
    async with basin(server) as pool, asyncio.TaskGroup() as tasks:
        first = tasks.create_task(pool.lease(verify=True))
        await server.until_heard("PASS")
        assert pool.pool.take(BOB.key(), None, verify=True) is Reason.UPSTREAM_SESSIONS
        go_on.set()
        (await first).release()
        bobs = await pool.lease(BOB, verify=True)
        bobs.release()


async def test_a_proof_lasts_as_long_as_it_was_told(server: Scripted) -> None:
    async with basin(server, login_memory=60.0) as pool:
        (await pool.lease()).release()
        pool.now += 60
        proof = pool.pool.vouches_for(ALICE.key())
        assert proof is not None
        assert proof.home == b"/"
        pool.now += 1
        assert pool.pool.vouches_for(ALICE.key()) is None


async def test_a_proof_ends_with_the_last_session_of_its_login(server: Scripted) -> None:
    async with basin(server) as pool:
        (await pool.lease()).release()
        server.visits[0].leave()
        await pool.until(lambda: not pool.pool.seats)
        assert pool.pool.vouches_for(ALICE.key()) is None


async def test_a_changed_password_ends_the_warm_sessions_of_the_old_one(
    server: Scripted,
) -> None:
    async with basin(server, login_memory=60.0) as pool:
        (await pool.lease()).release()
        pool.now += 61
        server.passwords = {b"alice": b"another"}
        with pytest.raises(LoginRefused):
            await pool.lease(verify=True)
        await pool.until(lambda: not pool.pool.seats)
    assert pool.told(UpstreamClosed)[0].reason == "password changed"


async def test_a_busy_server_is_left_alone_for_longer_each_time(server: Scripted) -> None:
    server.always[GREETING] = last_says("421 Too many connections")
    async with basin(server) as pool:
        backoffs = []
        for _ in range(8):
            with pytest.raises(Busy):
                await pool.lease()
            await pool.until(lambda: not pool.pool.seats)
            retry_at = pool.pool.retry_at
            assert retry_at is not None
            assert pool.pool.take(ALICE.key(), None) is Reason.UPSTREAM_REFUSED
            assert pool.pool.lack is Reason.UPSTREAM_REFUSED
            assert str(pool.pool.obstacle) == "Too many connections"
            backoffs.append(retry_at - pool.now)
            pool.now = retry_at
        assert backoffs[0] == FIRST_BACKOFF
        assert backoffs[1] == 2 * FIRST_BACKOFF
        assert backoffs[-1] == LONGEST_BACKOFF
        del server.always[GREETING]
        (await pool.lease()).release()
        assert pool.pool.retry_at is None
        assert pool.pool.obstacle is None
    assert len(pool.told(UpstreamRefused)) == 8


async def test_others_are_spared_an_attempt_that_just_failed(server: Scripted) -> None:
    port, server.port = server.port, free_port()
    async with basin(server) as pool:
        with pytest.raises(DialError) as caught:
            await pool.lease()
        assert caught.value.reason is Reason.UPSTREAM_DOWN
        trouble = pool.pool.trouble
        assert trouble is not None
        assert trouble.words == caught.value.words
        assert pool.pool.take(BOB.key(), None) is Reason.UPSTREAM_REFUSED
        assert pool.pool.lack is Reason.UPSTREAM_REFUSED
        assert pool.pool.retry_at == pool.now + FRESH
        assert len(pool.pool.seats) == 1  # of the one SYN that was sent
        pool.now += FRESH
        assert [pool.pool.trouble] == [None]
        await pool.until(lambda: not pool.pool.seats)
    server.port = port


async def test_nobody_makes_room_for_a_dial_that_others_are_spared(server: Scripted) -> None:
    async with basin(server, sessions=2) as pool:
        for lease in (await pool.lease(), await pool.lease()):
            lease.release()
        server.plan(GREETING, spits(b"SSH-2.0-x\r\n"))
        with pytest.raises(DialError):
            await pool.lease(BOB)
        assert pool.pool.take(BOB.key(), None) is Reason.UPSTREAM_REFUSED
        assert pool.uses.count("IDLE") == 1
        (await pool.lease()).release()  # one that is there needs no dial
        await pool.until(lambda: pool.uses == ["IDLE"])


class Faulty(Dialer):
    """Has a fault of ours, as nobody foresees it."""

    async def log_in(self, session: UpstreamSession, credentials: Credentials) -> None:
        await super().log_in(session, credentials)
        raise RuntimeError("sprung")


async def test_a_fault_is_met_by_who_waits_for_the_session(server: Scripted) -> None:
    async with basin(server) as pool:
        pool.go_on_with(Faulty(server.host, server.port, QUICK))
        with pytest.raises(RuntimeError, match="sprung"):
            await pool.lease()
        await pool.until(lambda: not pool.pool.seats)


async def test_a_fault_that_nobody_waits_for_is_told_all_the_same(server: Scripted) -> None:
    with pytest.raises(ExceptionGroup) as told:
        await leave_while_it_is_faulty(server)
    assert told.group_contains(RuntimeError, match="sprung")


async def leave_while_it_is_faulty(server: Scripted) -> None:
    go_on = asyncio.Event()
    server.plan("PASS", waits_for(go_on, "PASS"))
    async with basin(server) as pool:
        pool.go_on_with(Faulty(server.host, server.port, QUICK))
        async with asyncio.TaskGroup() as tasks:
            leaving = tasks.create_task(pool.lease())
            await server.until_heard("PASS")
            leaving.cancel()
        go_on.set()
        await pool.until(lambda: not pool.pool.seats)


async def test_a_no_that_names_no_limit_is_one_where_others_were_let_in(server: Scripted) -> None:
    server.plan(GREETING, last_says("530 Nein."))
    async with basin(server) as pool:
        with pytest.raises(TurnedAway):
            await pool.lease()
        await pool.until(lambda: not pool.pool.seats)
        pool.now += FIRST_BACKOFF
        lease = await pool.lease()
        server.plan(GREETING, last_says("530 Nein."))
        with pytest.raises(Busy, match="Nein"):
            await pool.lease(BOB)
        assert pool.pool.retry_at is not None
        lease.release()


async def test_a_login_whose_client_left_is_finished_and_kept_warm(server: Scripted) -> None:
    go_on = asyncio.Event()
    server.plan("PASS", waits_for(go_on, "PASS"))
    async with basin(server) as pool:
        async with asyncio.TaskGroup() as tasks:
            leaving = tasks.create_task(pool.lease())
            await server.until_heard("PASS")
            leaving.cancel()
        go_on.set()
        await pool.until(lambda: pool.uses == ["IDLE"])
        (await pool.lease()).release()
    assert server.logins == 1
    assert len(pool.told(UpstreamOpened)) == 1


async def test_a_victim_that_does_not_answer_its_quit_still_goes(server: Scripted) -> None:
    server.plan("QUIT", keeps_silent)
    async with basin(server, sessions=1) as pool:
        (await pool.lease()).release()
        async with asyncio.TaskGroup() as tasks:
            leaving = tasks.create_task(pool.lease(BOB))
            await server.until_heard("QUIT")
            leaving.cancel()
        await pool.until(lambda: pool.uses == ["IDLE"])
    assert server.most == 1


async def test_another_server_is_dialled_anew_and_no_login_is_believed(server: Scripted) -> None:
    async with basin(server) as pool, scripted() as other:
        idle, lent = await pool.lease(), await pool.lease()
        idle.release()
        pool.adopt(other.port, renew=True)
        assert pool.pool.vouches_for(ALICE.key()) is None
        await pool.until(lambda: pool.uses == ["LENT"])
        lent.release()
        await pool.until(lambda: pool.uses == [])
        anew = await pool.lease()
        assert (server.logins, other.logins) == (2, 1)
        assert pool.pool.vouches_for(ALICE.key()) is not None
        anew.release()
        assert {event.reason for event in pool.told(UpstreamClosed)} == {"settings changed"}
        pool.adopt(server.port, renew=True)


async def test_a_login_taken_by_the_old_server_vouches_for_nobody_at_the_new_one(
    server: Scripted,
) -> None:
    go_on = asyncio.Event()
    server.plan("PASS", waits_for(go_on, "PASS"))
    async with basin(server) as pool, scripted() as other:
        seat = pool.pool.take(ALICE.key(), None)
        assert isinstance(seat, Seat)
        async with asyncio.TaskGroup() as tasks:
            dialling = tasks.create_task(pool.pool.ready(seat, ALICE))
            await server.until_heard("PASS")
            pool.adopt(other.port, renew=True)
            go_on.set()
            lease = await dialling
        assert pool.pool.vouches_for(ALICE.key()) is None
        lease.release()
        await pool.until(lambda: pool.uses == [])
