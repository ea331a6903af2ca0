"""ABOR at every moment of a transfer: exactly 426 then 226, and the session goes on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

import pytest

from tests.support.house import House, house
from tests.support.misdeeds import keeps_silent, waits_for
from tests.support.raw_client import RawClient, is_reset, read_some
from tests.support.scripted import Scripted, Visit, scripted

Abort: TypeAlias = Callable[[RawClient], Awaitable[None]]

BIG = bytes(64) * (1 << 18)  # 16 MiB: more than all socket buffers on the way
SYNCH = b"\xff\xf4\xff"  # Telnet IP, then IAC; the DM that follows is urgent (RFC 959, 4.1.3)


async def plainly(client: RawClient) -> None:
    await client.say("ABOR")


async def urgently(client: RawClient) -> None:
    await client.send(SYNCH)
    client.sock.send(b"\xf2", socket.MSG_OOB)
    await client.say("ABOR")


async def urgently_at_once(client: RawClient) -> None:
    client.sock.send(SYNCH + b"\xf2", socket.MSG_OOB)
    await client.say("ABOR")


async def with_telnet_in_line(client: RawClient) -> None:
    await client.send(SYNCH + b"\xf2ABOR\r\n")


ways = pytest.mark.parametrize(
    "abort",
    [plainly, urgently, urgently_at_once, with_telnet_in_line],
    ids=lambda way: way.__name__,
)


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted({b"/big": BIG, b"/small": b"hello"}) as server:
        yield server


@pytest.fixture
async def home(server: Scripted) -> AsyncIterator[House]:
    async with house(server) as home:
        yield home


@ways
async def test_abor_stops_a_download(home: House, abort: Abort) -> None:
    async with home.guest() as client:
        with await client.passive() as data:
            await client.say("RETR /big")
            await client.expect(150)
            assert await read_some(data)
            await abort(client)
            await client.expect(426, 226)
            assert await is_reset(data)
        await client.expect_silence()
        assert await client.fetch("RETR /small") == b"hello"


@ways
async def test_abor_stops_an_upload(home: House, server: Scripted, abort: Abort) -> None:
    async with home.guest() as client:
        with await client.passive() as data:
            await client.say("STOR /new")
            await client.expect(150)
            await server.until(lambda: server.data_connections == 1)
            data.send(b"a part")
            await abort(client)
            await client.expect(426, 226)
            assert await is_reset(data)
        await client.expect_silence()
        await client.store("STOR /other", b"whole")
    assert server.files[b"/other"] == b"whole"
    assert b"/new" not in server.files


@ways
async def test_abor_stops_a_listing(home: House, server: Scripted, abort: Abort) -> None:
    go_on = asyncio.Event()

    async def lists_half(visit: Visit, argument: bytes) -> None:
        await visit.say("150 Here it comes.")
        with await visit.data() as sock:
            sock.send(b"half of the names\r\n")
            await go_on.wait()
        await visit.say("226 Done.")

    server.plan("LIST", lists_half)
    async with home.guest() as client:
        with await client.passive() as data:
            await client.say("LIST")
            await client.expect(150)
            assert await read_some(data)
            await abort(client)
            await client.expect(426, 226)
            assert await is_reset(data)
        go_on.set()
        assert await client.fetch("NLST") == b"big\r\nsmall\r\n"


@ways
async def test_abor_leaves_the_queue_at_once(server: Scripted, abort: Abort) -> None:
    go_on = asyncio.Event()
    server.plan("RETR", waits_for(go_on, "RETR"))
    async with (
        house(server, upstream={"sessions": 1}) as home,
        home.guest() as first,
        home.guest() as second,
    ):
        with await first.passive(), await second.passive():
            await first.say("RETR /small")
            await server.until_heard("RETR")
            await second.say("RETR /small")
            await home.until(lambda: home.gate.waiting == 1)
            await abort(second)
            await second.expect(426, 226)
            assert home.gate.waiting == 0
            go_on.set()
            await first.expect(150, 226)
        assert await second.fetch("RETR /small") == b"hello"
    assert server.count("RETR") == 2


async def test_abor_sent_together_with_its_transfer_stops_it_before_it_starts(
    home: House, server: Scripted
) -> None:
    async with home.guest() as client:
        with await client.passive():
            await client.say("RETR /small", "ABOR")
            await client.expect(426, 226)
        await client.expect_silence()
    assert server.count("RETR") == 0


async def test_abor_stops_a_transfer_that_the_server_does_not_answer(
    home: House, server: Scripted
) -> None:
    server.plan("RETR", keeps_silent)
    async with home.guest() as client:
        with await client.passive():
            await client.say("RETR /small")
            await server.until_heard("RETR")
            await client.say("ABOR")
            await client.expect(426, 226)
        assert await client.fetch("RETR /small") == b"hello"


async def test_abor_stops_a_transfer_whose_data_connection_the_client_never_opened(
    home: House, server: Scripted
) -> None:
    async with home.guest() as client:
        await client.passive_port()
        await client.say("RETR /small")
        await client.expect(150)
        await client.say("ABOR")
        await client.expect(426, 226)
        assert await client.fetch("RETR /small") == b"hello"


async def test_abor_without_a_transfer_has_one_reply(home: House) -> None:
    async with home.guest() as client:
        await client.say("ABOR")
        await client.expect(226)
        await client.expect_silence()


async def test_abor_after_pasv_closes_the_port(home: House) -> None:
    async with home.guest() as client:
        with await client.passive() as data:
            assert home.lent_ports == 1
            await client.say("ABOR")
            await client.expect(226)
            assert not await read_some(data)
        assert home.lent_ports == 0
        await client.say("RETR /small")
        await client.expect(425)


async def test_abor_after_the_end_of_a_transfer_is_answered_once(home: House) -> None:
    async with home.guest() as client:
        assert await client.fetch("RETR /small") == b"hello"
        await client.say("ABOR")
        await client.expect(226)
        await client.expect_silence()


async def test_an_aborted_transfer_keeps_the_session_with_the_server(
    home: House, server: Scripted
) -> None:
    async with home.guest() as client:
        for _ in range(5):
            with await client.passive() as data:
                await client.say("RETR /big")
                await client.expect(150)
                assert await read_some(data)
                await client.say("ABOR")
                await client.expect(426, 226)
        await home.until_settled()
    assert server.logins <= 2
