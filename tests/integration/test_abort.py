"""ABOR at every moment of a transfer: exactly 426 then 226, and the session goes on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from tests.support.house import House, house
from tests.support.house import event_loop_policy as event_loop_policy
from tests.support.raw_client import RawClient, is_reset, read_some
from tests.support.scripted import Scripted, Visit, scripted, waits_for

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
    "abort", [plainly, urgently, urgently_at_once, with_telnet_in_line], ids=lambda way: way.__name__
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
async def test_abor_stops_a_download(home: House, abort: object) -> None:
    assert callable(abort)
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
async def test_abor_stops_an_upload(home: House, server: Scripted, abort: object) -> None:
    assert callable(abort)
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
