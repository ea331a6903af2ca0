"""Clients that vanish at every step of the protocol: nothing stays behind, nobody else notices."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

import pytest

from tests.support.house import house
from tests.support.misdeeds import keeps_silent, waits_for
from tests.support.raw_client import RawClient, read_some
from tests.support.scripted import Scripted, Visit, scripted

CONTENT = b"0123456789"
BIG = bytes(16 << 20)

Step: TypeAlias = Callable[[RawClient, Scripted], Awaitable[socket.socket | None]]
End: TypeAlias = Callable[[RawClient], None]


def by_reset(client: RawClient) -> None:
    client.vanish()


def by_fin(client: RawClient) -> None:
    client.sock.close()


ends = pytest.mark.parametrize("end", [by_reset, by_fin], ids=lambda end: end.__name__)


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted({b"/ten": CONTENT, b"/big": BIG}) as server:
        yield server


async def at_once(client: RawClient, server: Scripted) -> None:
    pass


async def after_the_greeting(client: RawClient, server: Scripted) -> None:
    await client.expect(220)


async def in_the_middle_of_a_line(client: RawClient, server: Scripted) -> None:
    await client.expect(220)
    await client.send(b"USER al")


async def after_user(client: RawClient, server: Scripted) -> None:
    await client.say("USER alice")
    await client.expect(220, 331)


async def while_the_server_thinks_about_pass(client: RawClient, server: Scripted) -> None:
    server.plan("PASS", keeps_silent)
    await client.say("USER alice", "PASS secret")
    await server.until_heard("PASS")


async def after_login(client: RawClient, server: Scripted) -> None:
    await client.expect(220)
    await client.log_in()


async def after_pasv(client: RawClient, server: Scripted) -> None:
    await after_login(client, server)
    await client.passive_port()


async def with_an_open_data_connection(client: RawClient, server: Scripted) -> None:
    await after_login(client, server)
    (await client.passive()).close()


async def while_the_server_thinks_about_cwd(client: RawClient, server: Scripted) -> None:
    await after_login(client, server)
    server.plan("CWD", keeps_silent)
    await client.say("CWD /deep")
    await server.until_heard("CWD")


async def while_the_server_thinks_about_pasv(client: RawClient, server: Scripted) -> None:
    await after_login(client, server)
    server.plan("PASV", keeps_silent)
    await client.passive_port()
    await client.say("RETR /big")
    await server.until_heard("PASV")


async def while_the_server_thinks_about_rest(client: RawClient, server: Scripted) -> None:
    await after_login(client, server)
    server.plan("REST", keeps_silent)
    await client.passive_port()
    await client.say("REST 5", "RETR /big")
    await server.until_heard("REST")


async def while_the_server_thinks_about_retr(client: RawClient, server: Scripted) -> None:
    await after_login(client, server)
    server.plan("RETR", keeps_silent)
    await client.passive_port()
    await client.say("RETR /big")
    await server.until_heard("RETR")


async def before_connecting_for_data(client: RawClient, server: Scripted) -> None:
    await after_login(client, server)
    await client.passive_port()
    await client.say("RETR /big")
    await client.expect(150)


async def in_the_middle_of_a_download(client: RawClient, server: Scripted) -> None:
    await after_login(client, server)
    with await client.passive() as data:
        await client.say("RETR /big")
        await client.expect(150)
        assert await read_some(data)


async def in_the_middle_of_an_upload(client: RawClient, server: Scripted) -> socket.socket:
    await after_login(client, server)
    data = await client.passive()
    await client.say("STOR /part")
    await client.expect(150)
    data.send(b"part")
    return data  # a FIN here would say that this was the whole file


async def before_the_226(client: RawClient, server: Scripted) -> None:
    async def never_ends(visit: Visit, _: bytes) -> None:
        await visit.say("150 Here it comes.")
        (await visit.data()).close()
        await keeps_silent(visit, b"")

    await after_login(client, server)
    server.plan("RETR", never_ends)
    with await client.passive():
        await client.say("RETR /ten")
        await client.expect(150)


OF_A_SERVER_THAT_ANSWERS: list[Step] = [
    at_once,
    after_the_greeting,
    in_the_middle_of_a_line,
    after_user,
    after_login,
    after_pasv,
    with_an_open_data_connection,
    before_connecting_for_data,
    in_the_middle_of_a_download,
    in_the_middle_of_an_upload,
]
OF_ONE_THAT_IS_SILENT: list[Step] = [
    while_the_server_thinks_about_pass,
    while_the_server_thinks_about_cwd,
    while_the_server_thinks_about_pasv,
    while_the_server_thinks_about_rest,
    while_the_server_thinks_about_retr,
    before_the_226,
]
STEPS = [*OF_A_SERVER_THAT_ANSWERS, *OF_ONE_THAT_IS_SILENT]


@ends
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
async def test_a_client_vanishes(server: Scripted, step: Step, end: End) -> None:
    limits = {"final": 0.5, "login": 0.5} if step in OF_ONE_THAT_IS_SILENT else {}
    async with (
        house(server, timeouts=limits, upstream={"sessions": 2}) as home,
        home.guest("other") as other,
    ):
        async with home.client() as client:
            left_open = await step(client, server)
            end(client)
        assert await other.fetch("RETR /ten") == CONTENT
        await home.until(lambda: len(home.app.roster) == 1)
        if left_open is not None:
            left_open.close()
        assert home.egresses[0].budget.open <= 2
        await other.expect_silence()
    assert b"/part" not in server.files
    assert server.most <= 2


async def test_a_client_that_vanishes_in_the_queue_frees_its_place_at_once(
    server: Scripted,
) -> None:
    go_on = asyncio.Event()
    server.plan("RETR", waits_for(go_on, "RETR"))
    async with house(server, upstream={"sessions": 1}) as home, home.guest() as first:
        with await first.passive():
            await first.say("RETR /ten")
            await server.until_heard("RETR")
            async with home.guest() as second:
                await second.passive_port()
                await second.say("RETR /ten")
                await home.until(lambda: home.gate.waiting == 1)
            await home.until(lambda: home.gate.waiting == 0)
            await home.until(lambda: len(home.app.roster) == 1)
            go_on.set()
            await first.expect(150, 226)
    assert server.count("RETR") == 1


async def test_one_that_vanishes_while_its_directory_is_restored_moves_nobody_else(
    server: Scripted,
) -> None:
    server.files[b"/deep/ten"] = b"the wrong one"
    async with house(server, upstream={"sessions": 1}) as home, home.guest() as stays:
        async with home.guest() as goes:
            assert (await goes.ask("CWD /deep")).code == 250
            assert await stays.fetch("RETR ten") == CONTENT
            go_on = asyncio.Event()
            server.plan("CWD", waits_for(go_on, "CWD"))
            await goes.passive_port()
            await goes.say("RETR ten")
            await server.until_heard("CWD", 3)
        await home.until(lambda: len(home.app.roster) == 1)
        go_on.set()
        assert await stays.fetch("RETR ten") == CONTENT


async def test_one_that_vanishes_behind_rest_shortens_nobodys_file(server: Scripted) -> None:
    async with house(server, upstream={"sessions": 1}) as home, home.guest() as stays:
        async with home.guest() as goes:
            go_on = asyncio.Event()
            server.plan("REST", waits_for(go_on, "REST"))
            await goes.passive_port()
            await goes.say("REST 5", "RETR /ten")
            await server.until_heard("REST")
        await home.until(lambda: len(home.app.roster) == 1)
        go_on.set()
        assert await stays.fetch("RETR /ten") == CONTENT


async def test_one_that_vanishes_while_anothers_session_makes_room_blocks_no_seat(
    server: Scripted,
) -> None:
    async with house(server, upstream={"sessions": 1}) as home:
        async with home.guest("first"):
            pass
        await home.until_quiet()
        server.plan("QUIT", keeps_silent)
        async with home.client() as second:
            await second.say("USER second", "PASS secret")
            await server.until_heard("QUIT")
        await home.until(lambda: not len(home.app.roster))
        async with home.guest("third") as third:
            assert await third.fetch("RETR /ten") == CONTENT
    assert server.most == 1


async def test_many_aborts_cost_no_extra_logins(server: Scripted) -> None:
    async with house(server, upstream={"sessions": 2}) as home:
        for _ in range(30):
            async with home.guest() as client:
                with await client.passive() as data:
                    await client.say("RETR /big")
                    await client.expect(150)
                    assert await read_some(data)
                client.vanish()
        await home.until_quiet()
    assert server.logins <= 2
    assert server.most <= 2
