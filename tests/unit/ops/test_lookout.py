"""A running house, as it is seen from the lookout."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.support.house import house
from tests.support.misdeeds import waits_for
from tests.support.scripted import Scripted, Visit, scripted

from .looking import lookout, seen

ONE_SESSION = {"sessions": 1}


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted({b"/file": b"content"}) as server:
        yield server


async def test_an_empty_house_has_nothing_but_its_limits(server: Scripted) -> None:
    async with house(server) as home:
        told = seen(home)
        (budget,) = told.budgets
        assert (budget.name, budget.used, budget.limit, budget.next_slot) == ("default", 0, 100, 0)
        assert (told.sessions, told.upstream_sessions, told.queue.length) == ((), (), 0)
        assert [one.name for one in told.classes] == ["everyone"]
        assert told.upstream == f"{server.host}:{server.port}"


async def test_of_several_servers_each_is_seen_with_what_is_its_own(server: Scripted) -> None:
    own = {"host": server.host, "port": server.port, "sessions": 1}
    other = {"name": "b", "match": {"user": "bob"}, "upstream": own, "queue": {"max_length": 5}}
    async with house(server, servers=[other]) as home, home.guest("bob") as client:
        await client.fetch("RETR /file")
        told = seen(home)
        assert [budget.name for budget in told.budgets] == ["default", "b"]
        assert [budget.sessions_limit for budget in told.budgets] == [2, 1]
        assert told.upstream == f"{server.host}:{server.port}, b {server.host}:{server.port}"
        assert [one.server for one in told.sessions] == ["b"]
        assert [one.server for one in told.upstream_sessions] == ["b"]
        assert [(one.server, one.sessions, one.limit) for one in told.machines] == [
            ("", 0, 2),
            ("b", 1, 1),
        ]
        assert told.queue.limit == 1005
        assert [(one.server, one.limit) for one in told.queue.servers] == [("", 1000), ("b", 5)]


async def test_who_waits_for_anothers_listing_is_in_the_queue(server: Scripted) -> None:
    go_on = asyncio.Event()
    async with (
        house(server, upstream={"share_listings": "on"}) as home,
        home.guest() as one,
        home.guest() as other,
        asyncio.TaskGroup() as tasks,
    ):
        server.plan("LIST", waits_for(go_on, "LIST"))
        tasks.create_task(one.fetch("LIST"))
        await server.until_heard("LIST")
        tasks.create_task(other.fetch("LIST"))
        await home.until(lambda: home.gate.waiting)
        (waiter,) = seen(home).queue.first
        assert (waiter.waits_for, waiter.errand) == ("another's listing", "LIST")
        assert (waiter.user, waiter.eta) == ("alice", None)
        go_on.set()


async def test_of_several_machines_each_is_seen_with_its_state_and_its_sessions(
    server: Scripted,
) -> None:
    async with scripted() as standby:
        place = f"{standby.host}:{standby.port}"
        async with house(server, upstream={"standby": [place]}) as home, home.guest():
            first, second = seen(home).machines
            assert (first.address, first.state) == (f"{server.host}:{server.port}", "in use")
            assert (first.sessions, first.limit, first.down_for) == (1, 2, None)
            assert (second.address, second.state) == (place, "standby")
            assert (second.sessions, second.limit) == (0, 2)
            fleet = home.app.servers[0].fleet
            fleet.servers[0].health.failed(home.app.rooms.clock())
            assert seen(home).machines[0].state == "down"
            assert (seen(home).machines[0].down_for or 0.0) >= 0.0


async def test_a_single_machine_is_told_by_the_name_of_the_server_alone(server: Scripted) -> None:
    async with house(server) as home:
        assert seen(home).machines == ()


async def test_a_client_is_seen_with_what_it_does(server: Scripted) -> None:
    async with house(server) as home, home.guest("alice") as client:
        await client.fetch("RETR /file")
        (session,) = seen(home).sessions
        assert (session.user, session.client_class, session.doing) == ("alice", "everyone", "idle")
        assert (session.transfers, session.bytes_down, session.phase) == (1, 7, "")
        (upstream,) = seen(home).upstream_sessions
        assert (upstream.user, upstream.use, upstream.pinned) == ("alice", "idle", False)
        # One for the login, one for the transfer.
        assert upstream.leases == 2


async def test_a_running_transfer_is_seen_on_the_session_that_carries_it(server: Scripted) -> None:
    go_on = asyncio.Event()
    server.plan("RETR", waits_for(go_on, "RETR"))
    async with house(server) as home, home.guest() as client:
        with await client.passive():
            await client.say("RETR /file")
            await server.until_heard("RETR")
            told = seen(home)
            (session,), (upstream,) = told.sessions, told.upstream_sessions
            assert (session.doing, session.path, session.phase) == ("RETR", "/file", "open")
            assert session.upstream_session == upstream.id
            assert (upstream.use, upstream.client) == ("lent", session.id)
            assert told.classes[0].transfers == 1
            assert told.classes[0].slots == told.classes[0].most_slots_of_one == 1
            go_on.set()
            await client.expect(150, 226)


async def test_bytes_count_as_moved_while_they_move(server: Scripted) -> None:
    go_on = asyncio.Event()

    async def sends_half(visit: Visit, argument: bytes) -> None:
        await visit.say("150 Here it comes.")
        with await visit.data() as sock:
            await asyncio.get_running_loop().sock_sendall(sock, b"half")
            await go_on.wait()
        await visit.say("226 Done.")

    server.plan("RETR", sends_half)
    async with house(server) as home, home.guest() as client:
        with await client.passive() as data:
            await client.say("RETR /file")
            assert await asyncio.get_running_loop().sock_recv(data, 10) == b"half"
            await home.until(lambda: seen(home).totals.bytes_moved == 4)
            go_on.set()
            await client.expect(150, 226)


async def test_who_waits_is_seen_with_place_and_reason(server: Scripted) -> None:
    go_on = asyncio.Event()
    server.plan("RETR", waits_for(go_on, "RETR"))
    async with (
        house(server, upstream=ONE_SESSION) as home,
        home.guest() as first,
        home.guest(source="127.0.0.2") as second,
    ):
        with await first.passive(), await second.passive():
            await first.say("RETR /file")
            await server.until_heard("RETR")
            await second.say("RETR /file")
            await home.until(lambda: home.gate.waiting)
            queue = seen(home).queue
            (waiter,) = queue.first
            assert (queue.length, queue.classes[0].client_class) == (1, "everyone")
            assert (waiter.place, waiter.source, waiter.user) == (1, "127.0.0.2", "alice")
            assert (waiter.wants, waiter.errand) == ("download", "RETR /file")
            assert (waiter.waits_for, waiter.eta) == ("upstream_sessions", None)
            assert seen(home).classes[0].waiting == 1
            go_on.set()
            await first.expect(150, 226)
            await second.expect(150, 226)


async def test_who_waits_for_the_budget_is_told_when_its_turn_comes(server: Scripted) -> None:
    budget = {"connections": 3, "time_wait": 20.0}
    async with house(server, budget=budget) as home, home.guest() as client:
        # One slot is taken by the session, one is kept for the second: one is left.
        await client.fetch("RETR /file")
        with await client.passive():
            await client.say("RETR /file")
            await home.until(lambda: home.gate.waiting)
            told = seen(home)
            (waiter,) = told.queue.first
            assert waiter.waits_for == "budget"
            assert waiter.eta is not None
            assert 0 < waiter.eta <= 20
            assert (told.budgets[0].open, told.budgets[0].cooling) == (1, 1)
            client.vanish()


async def test_a_pinned_session_is_seen_with_what_pinned_it(server: Scripted) -> None:
    async with house(server) as home, home.guest() as client:
        await client.ask("SITE EXEC ls")
        told = seen(home)
        assert told.sessions[0].pinned_by.startswith("SITE")
        assert told.upstream_sessions[0].pinned
        assert told.upstream_sessions[0].client == told.sessions[0].id


async def test_two_looks_in_one_moment_are_one(server: Scripted) -> None:
    async with house(server) as home:
        looking = lookout(home)
        assert looking.snapshot() is looking.snapshot()
