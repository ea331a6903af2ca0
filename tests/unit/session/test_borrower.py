from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from tests.support.honest import HangUp
from tests.support.house import house
from tests.support.misdeeds import hangs_up, keeps_silent, last_says, resets, says, waits_for
from tests.support.scripted import GREETING, Handler, Visit, scripted

FILES = {b"/a": b"1", b"/deep/a": b"22"}
ENDS = pytest.mark.parametrize(
    "end", [hangs_up, resets, last_says("421 Enough.")], ids=["hangs up", "resets", "421"]
)


async def test_a_second_login_of_the_same_user_asks_the_server_nothing() -> None:
    async with scripted() as server, house(server) as home:
        async with home.guest() as one, home.guest() as other:
            await one.expect_silence()
            await other.expect_silence()
        assert (server.total, server.logins) == (1, 1)


async def test_many_clients_share_few_sessions_each_in_its_own_place() -> None:
    async with (
        scripted(FILES) as server,
        house(server, upstream={"sessions": 2}) as home,
        home.guest() as one,
        home.guest() as two,
        home.guest() as three,
        home.guest("bob") as bob,
    ):
        assert (await two.ask("CWD deep")).code == 250
        for _ in range(3):
            for client, size in ((one, 1), (two, 2), (three, 1), (bob, 1)):
                assert (await client.ask("SIZE a")).text == f"213 {size}"
        assert server.most <= 2


async def test_pooling_by_session_keeps_one_for_each_client() -> None:
    upstream = {"sessions": 2, "pooling": "session"}
    async with (
        scripted(FILES) as server,
        house(server, upstream=upstream) as home,
        home.guest() as one,
        home.guest() as other,
    ):
        assert (await one.ask("SIZE a")).code == 213
        assert (await other.ask("SIZE a")).code == 213
        assert [visit.lines.count(b"SIZE a") for visit in server.visits] == [1, 1]


@ENDS
async def test_a_session_that_dies_while_the_state_is_restored_is_replaced_unseen(
    end: Handler,
) -> None:
    async with scripted(FILES) as server, house(server) as home, home.guest() as client:
        assert (await client.ask("TYPE I")).code == 200
        server.plan("TYPE", end)
        assert (await client.ask("SIZE a")).text == "213 1"
        assert server.logins == 2


@ENDS
async def test_what_dies_twice_is_explained(end: Handler) -> None:
    async with scripted(FILES) as server, house(server) as home, home.guest() as client:
        assert (await client.ask("TYPE I")).code == 200
        server.plan("TYPE", end, end)
        assert (await client.ask("SIZE a")).code == 451
        assert (await client.ask("SIZE a")).text == "213 1"


async def test_a_state_that_the_server_refuses_is_told_in_its_words() -> None:
    async with (
        scripted(FILES) as server,
        house(server, upstream={"sessions": 1}) as home,
        home.guest() as one,
        home.guest() as other,
    ):
        assert (await one.ask("CWD deep")).code == 250
        assert (await other.ask("SIZE a")).code == 213
        server.plan("CWD", says("550 Somebody removed it."))
        assert (await one.ask("SIZE a")).text == "550 Somebody removed it."
        assert (await one.ask("SIZE a")).text == "213 2"


@ENDS
async def test_a_pinned_client_whose_session_dies_is_told_goodbye(end: Handler) -> None:
    async with scripted(FILES) as server, house(server) as home, home.guest() as client:
        assert (await client.ask("SITE UMASK 077")).code == 200
        server.plan("SIZE", end)
        await client.say("SIZE a")
        await client.expect(421)
        await client.expect_end()


async def test_a_client_logs_out_and_in_as_somebody_else() -> None:
    async with scripted(FILES) as server, house(server, upstream={"sessions": 1}) as home:
        async with home.guest("alice") as client:
            assert (await client.ask("SITE UMASK 077")).code == 200
            assert (await client.ask("REIN")).code == 220
            assert (await client.ask("SIZE a")).code == 530
            await client.log_in("bob")
            assert (await client.ask("SIZE a")).code == 213
        assert [visit.user for visit in server.visits] == [b"alice", b"bob"]
        assert server.most == 1


async def test_a_server_that_stays_busy_is_explained_in_its_own_words() -> None:
    async with scripted() as server, house(server, queue={"max_wait": 0.3}) as home:
        server.always[GREETING] = last_says("421 Too many connections from you")
        async with home.client() as client:
            await client.say("USER alice", "PASS secret")
            heard = await client.expect(220, 331, 421)
            await client.expect_end()
        assert "try again later" in heard[-1].text


async def test_others_are_spared_the_wait_for_a_silent_server() -> None:
    timeouts = {"login": 0.2, "connect": 0.2}
    async with scripted() as server, house(server, timeouts=timeouts) as home:
        server.always[GREETING] = keeps_silent
        for _ in range(2):
            async with home.client() as client:
                await client.say("USER alice", "PASS secret")
                await client.expect(220, 331, 421)
        assert server.total == 1


@pytest.mark.parametrize("command", ["SIZE a", "RETR a"])
async def test_a_server_that_is_killed_takes_no_command_with_it(command: str) -> None:
    async with (
        scripted(FILES) as server,
        house(server, upstream={"sessions": 5}) as home,
        AsyncExitStack() as stack,
    ):
        guests = [await stack.enter_async_context(home.guest()) for _ in range(5)]
        together = asyncio.Event()
        server.plan("SIZE", *[waits_for(together, "SIZE")] * 5)
        async with asyncio.TaskGroup() as tasks:
            for guest in guests:
                tasks.create_task(guest.ask("SIZE a"))
            await server.until_heard("SIZE", 5)
            together.set()
        killed = list(server.visits)
        assert len(killed) == 5

        async def is_killed_with_all_others(visit: Visit, argument: bytes) -> None:
            if visit not in killed:
                await visit.obey_normally(verb, argument)
                return
            for number, other in enumerate(killed):
                if other is not visit:
                    loop.call_later(number * 0.004, other.end)
            raise HangUp

        loop = asyncio.get_running_loop()
        verb = "SIZE" if command == "SIZE a" else "PASV"
        server.always[verb] = is_killed_with_all_others
        if command == "RETR a":
            assert await guests[0].fetch(command) == b"1"
        else:
            assert (await guests[0].ask(command)).text == "213 1"
