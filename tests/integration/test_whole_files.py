"""Files are whole on the spliced and on the copied path, however they are sent and read."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import socket
from collections.abc import AsyncIterator

import pytest

from loadtest.bench.relay import GIB, MOVERS, Work, measure
from tests.support.house import House, house
from tests.support.raw_client import RawClient, read_all, read_some
from tests.support.scripted import Scripted, scripted

pytestmark = pytest.mark.integration

BIG = os.urandom(7 * (1 << 20) + 11)


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted({b"/big": BIG, b"/empty": b""}) as server:
        yield server


@pytest.fixture(params=[True, False], ids=["splice", "copy"])
async def home(server: Scripted, request: pytest.FixtureRequest) -> AsyncIterator[House]:
    async with house(server) as home:
        backend = home.app.servers[0].backend
        rules = dataclasses.replace(backend.rules.exchange, splice=request.param)
        backend.rules = dataclasses.replace(backend.rules, exchange=rules)
        yield home


@pytest.fixture
async def client(home: House) -> AsyncIterator[RawClient]:
    async with home.guest() as client:
        yield client


@pytest.mark.parametrize("mover", ["splice", "copy"])
def test_more_bytes_than_32_bits_can_count_are_all_moved(mover: str) -> None:
    work = Work(5 * GIB + 1, 1, 1)
    assert measure(MOVERS[mover], work).moved == work.size


async def test_what_is_sent_up_comes_down_again(client: RawClient, server: Scripted) -> None:
    await client.store("STOR /up", BIG)
    assert server.files[b"/up"] == BIG
    assert await client.fetch("RETR /up") == BIG


async def test_an_empty_file_is_empty_both_ways(client: RawClient, server: Scripted) -> None:
    await client.store("STOR /nothing", b"")
    assert server.files[b"/nothing"] == b""
    assert await client.fetch("RETR /empty") == b""


async def test_bytes_sent_one_by_one_arrive_in_order(client: RawClient, server: Scripted) -> None:
    content = os.urandom(500)
    with await client.passive() as data:
        data.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await client.say("STOR /drops")
        await client.expect(150)
        for byte in content:
            data.send(bytes([byte]))
            await asyncio.sleep(0)
    await client.expect(226)
    assert server.files[b"/drops"] == content


async def test_a_slow_reader_loses_nothing(client: RawClient) -> None:
    with await client.passive() as data:
        await client.say("RETR /big")
        await client.expect(150)
        got = bytearray()
        while piece := await read_some(data, 10_007):
            got += piece
            await asyncio.sleep(0)
    await client.expect(226)
    assert got == BIG


async def test_a_slow_writer_loses_nothing(client: RawClient, server: Scripted) -> None:
    with await client.passive() as data:
        await client.say("STOR /slow")
        await client.expect(150)
        for start in range(0, len(BIG), 70_001):
            await asyncio.get_running_loop().sock_sendall(data, BIG[start : start + 70_001])
            for _ in range(5):
                await asyncio.sleep(0)  # what was sent is moved before more comes
    await client.expect(226)
    assert server.files[b"/slow"] == BIG


async def test_a_client_that_only_closes_its_side_hears_that_all_has_arrived(
    client: RawClient, server: Scripted
) -> None:
    with await client.passive() as data:
        await client.say("STOR /half")
        await client.expect(150)
        await asyncio.get_running_loop().sock_sendall(data, BIG)
        data.shutdown(socket.SHUT_WR)
        assert await read_all(data) == b""
        await client.expect(226)
    assert server.files[b"/half"] == BIG


async def test_after_an_abort_in_mid_file_the_next_file_is_whole(client: RawClient) -> None:
    with await client.passive() as data:
        await client.say("RETR /big")
        await client.expect(150)
        assert await read_some(data)
        await client.say("ABOR")
        await client.expect(426, 226)
    assert await client.fetch("RETR /big") == BIG


async def test_many_files_at_once_are_all_whole(home: House) -> None:
    async def fetch() -> bytes:
        async with home.guest() as client:
            return await client.fetch("RETR /big")

    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(fetch()) for _ in range(12)]
    assert all(one.result() == BIG for one in running)
