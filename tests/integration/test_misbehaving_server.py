"""Servers that lie, stammer, fall silent or hang up: each client gets a clear answer.

Leaving the house proves what is common to all: no socket, slot, seat or port is left behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from loadtest.ports import free_port
from tests.support.house import House, house
from tests.support.misdeeds import (
    hangs_up,
    keeps_silent,
    last_says,
    resets,
    says,
    sends_then,
)
from tests.support.raw_client import RawClient, read_all, read_some
from tests.support.scripted import Handler, Scripted, Visit, scripted

CONTENT = b"0123456789"


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted({b"/ten": CONTENT}) as server:
        yield server


# What healing takes up again is told in tests/unit/session/test_healing.py; here, what is left.
UNHEALED = {"heal": {"downloads": "off"}}


@pytest.fixture
async def home(server: Scripted) -> AsyncIterator[House]:
    async with house(server, **UNHEALED) as home:
        yield home


@pytest.fixture
async def hasty(server: Scripted) -> AsyncIterator[House]:
    """One that soon has enough of silence, and would have of an honest server's on a bad day."""
    quick = {"connect": 0.3, "login": 0.3, "final": 0.3, "stall": 0.15}
    async with house(server, timeouts=quick, queue={"max_wait": 3.0}, **UNHEALED) as home:
        yield home


async def expect_broken_off(client: RawClient) -> None:
    """Fetch what never comes to its end: 426, and a reset for who has not heard of it."""
    with await client.passive() as data:
        await client.say("RETR /ten")
        await client.expect(150, 426)
        with pytest.raises(ConnectionResetError):
            await read_all(data)


# A session that dies while nobody uses it.


@pytest.mark.parametrize("data", [b"421 Timeout.\r\n", b"", b"nonsense\r\n"], ids=repr)
async def test_an_idle_session_that_the_server_ends_is_replaced_unseen(
    home: House, server: Scripted, data: bytes
) -> None:
    async with home.guest() as client:
        await client.fetch("RETR /ten")
        if data:
            await server.visits[0].send(data)
        server.visits[0].leave()
        assert await client.fetch("RETR /ten") == CONTENT


async def test_an_idle_session_that_says_421_and_stays_open_is_replaced_too(
    home: House, server: Scripted
) -> None:
    async with home.guest() as client:
        await client.fetch("RETR /ten")
        await server.visits[0].say("421 Timeout.")
        await server.until(lambda: not server.here)
        assert await client.fetch("RETR /ten") == CONTENT


@pytest.mark.parametrize("pooling", ["transfer", "session"])
async def test_a_session_that_said_421_to_a_command_is_never_used_again(
    server: Scripted, pooling: str
) -> None:
    upstream = {"sessions": 1, "pooling": pooling}
    async with house(server, upstream=upstream) as home, home.guest() as client:
        server.plan("MKD", says("421 Timeout."))  # and the connection stays open
        assert (await client.ask("MKD /new")).code in (425, 450, 451)
        assert await client.fetch("RETR /ten") == CONTENT
    assert server.logins == 2
    assert server.most == 1


# During a transfer.


LEAVINGS = pytest.mark.parametrize(
    "misdeed",
    [hangs_up, resets, last_says("421 Going down.")],
    ids=["hangs up", "resets", "421"],
)


@LEAVINGS
async def test_a_server_that_leaves_before_the_150_is_explained_and_the_session_goes_on(
    home: House, server: Scripted, misdeed: Handler
) -> None:
    server.plan("RETR", misdeed)
    async with home.guest() as client:
        with await client.passive() as data:
            await client.say("RETR /ten")
            await client.expect(425)
            assert await read_some(data) == b""
        assert await client.fetch("RETR /ten") == CONTENT


@LEAVINGS
async def test_a_session_that_dies_before_the_clients_own_command_is_replaced_unseen(
    home: House, server: Scripted, misdeed: Handler
) -> None:
    server.plan("PASV", misdeed)
    async with home.guest() as client:
        assert await client.fetch("RETR /ten") == CONTENT
    assert server.count("RETR") == 1


async def test_a_server_that_falls_silent_before_the_150_is_explained(
    hasty: House, server: Scripted
) -> None:
    server.plan("RETR", keeps_silent)
    async with hasty.guest() as client:
        await client.expect_refusal("RETR /ten", 425)
        assert await client.fetch("RETR /ten") == CONTENT


@pytest.mark.parametrize(
    "words",
    ["425 Cannot open.", "500 PASV not understood", "227 Entering", "227 (1,2,3)", "200 (7,7)"],
)
async def test_a_refused_or_mangled_227_is_explained(
    home: House, server: Scripted, words: str
) -> None:
    server.plan("PASV", says(words))
    async with home.guest() as client:
        await client.expect_refusal("RETR /ten", 425)
        assert await client.fetch("RETR /ten") == CONTENT


async def test_a_foreign_address_in_the_227_is_ignored(home: House, server: Scripted) -> None:
    async def elsewhere(visit: Visit, _: bytes) -> None:
        high, low = divmod(visit.listen(), 256)
        await visit.say(f"227 Entering Passive Mode (10,9,9,9,{high},{low}).")

    server.always["PASV"] = elsewhere
    async with home.guest() as client:
        assert await client.fetch("RETR /ten") == CONTENT


async def test_a_data_port_that_refuses_connections_is_explained(
    home: House, server: Scripted
) -> None:
    high, low = divmod(free_port(), 256)
    server.plan("PASV", says(f"227 Entering Passive Mode (127,0,0,1,{high},{low})."))
    server.plan("RETR", says("425 Cannot open data connection."))
    async with home.guest() as client:
        await client.expect_refusal("RETR /ten", 425)
        assert await client.fetch("RETR /ten") == CONTENT


async def test_a_550_is_a_550_even_if_the_data_port_is_closed(
    home: House, server: Scripted
) -> None:
    high, low = divmod(free_port(), 256)
    server.plan("PASV", says(f"227 Entering Passive Mode (127,0,0,1,{high},{low})."))
    async with home.guest() as client:
        await client.expect_refusal("RETR /missing", 550)


@pytest.mark.parametrize("hang_up", [False, True])
async def test_data_reset_in_mid_file_is_never_a_226(
    home: House, server: Scripted, hang_up: bool
) -> None:
    server.plan("RETR", sends_then(b"01234", "226 All well.", reset=True, hang_up=hang_up))
    async with home.guest() as client:
        await expect_broken_off(client)
        await client.expect_silence()
        assert await client.fetch("RETR /ten") == CONTENT


@LEAVINGS
async def test_a_server_that_leaves_after_the_data_but_before_its_226_breaks_the_file_off(
    home: House, server: Scripted, misdeed: Handler
) -> None:
    async def leaves(visit: Visit, _: bytes) -> None:
        await sends_then(CONTENT)(visit, b"")
        await misdeed(visit, b"")

    server.plan("RETR", leaves)
    async with home.guest() as client:
        await expect_broken_off(client)
        assert await client.fetch("RETR /ten") == CONTENT


async def test_a_226_that_never_comes_breaks_the_file_off(hasty: House, server: Scripted) -> None:
    server.plan("RETR", sends_then(CONTENT))
    async with hasty.guest() as client:
        with await client.passive():
            await client.say("RETR /ten")
            await client.expect(150, 426)
        assert await client.fetch("RETR /ten") == CONTENT


async def test_a_226_that_comes_late_still_counts(server: Scripted) -> None:
    go_on = asyncio.Event()

    async def takes_time(visit: Visit, _: bytes) -> None:
        await sends_then(CONTENT)(visit, b"")
        await go_on.wait()
        await visit.say("226 At last.")

    server.plan("RETR", takes_time)
    async with house(server) as home, home.guest() as client:
        with await client.passive() as data:
            await client.say("RETR /ten")
            await client.expect(150)
            assert await read_some(data) == CONTENT
            go_on.set()
            await client.expect(226)
            assert await read_some(data) == b""


async def test_a_150_without_data_is_broken_off_as_stalled(hasty: House, server: Scripted) -> None:
    server.plan("RETR", says("150 Any moment now."))
    async with hasty.guest() as client:
        await expect_broken_off(client)
        await client.expect_silence()


async def test_a_full_disk_in_mid_upload_is_told_in_the_servers_words(
    home: House, server: Scripted
) -> None:
    async def is_full(visit: Visit, _: bytes) -> None:
        await visit.say("150 Send it.")
        sock = await visit.data()
        await read_some(sock, 1)
        sock.close()  # unread bytes make this a RST
        await visit.say("552 Disk full.")

    server.plan("STOR", is_full)
    async with home.guest() as client:
        with await client.passive() as data:
            await client.say("STOR /big")
            await client.expect(150)
            with pytest.raises((ConnectionResetError, BrokenPipeError)):
                await asyncio.get_running_loop().sock_sendall(data, bytes(64 << 20))
            heard = await client.expect(552)
            assert heard[0].text == "552 Disk full."
        await client.expect_silence()


async def test_a_truncated_reply_is_a_lost_server(home: House, server: Scripted) -> None:
    async def truncates(visit: Visit, _: bytes) -> None:
        await visit.send(b"213 1")
        await hangs_up(visit, b"")

    server.plan("SIZE", truncates)
    server.plan("SIZE", truncates)  # for what only looks is asked once more
    async with home.guest() as client:
        assert (await client.ask("SIZE /ten")).code == 451
        assert (await client.ask("SIZE /ten")).text == "213 10"


async def test_a_reply_too_many_never_reaches_anybody(home: House, server: Scripted) -> None:
    server.plan("SIZE", says("213 10", "213 666"))
    async with home.guest() as client, home.guest() as other:
        assert (await client.ask("SIZE /ten")).text == "213 10"
        assert (await other.ask("SIZE /ten")).text == "213 10"
        assert await client.fetch("RETR /ten") == CONTENT


async def test_a_multi_line_reply_of_a_megabyte_passes(home: House, server: Scripted) -> None:
    lines = ["213-Status:", *(" " + "x" * 500 for _ in range(2000)), "213 End"]
    server.plan("STAT", says(*lines))
    async with home.guest() as client:
        assert len((await client.ask("STAT /")).lines) == 2002
