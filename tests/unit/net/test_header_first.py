"""The first word of a connection is a balancer's, if it is believed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from proxy.net.client_channel import ClientChannel
from proxy.net.header_first import HeaderFirst
from tests.support.raw_client import patiently

HEADER = b"PROXY TCP4 192.0.2.7 192.0.2.1 40000 21\r\n"


class Desk:
    """Where connections arrive, and what is known of them."""

    def __init__(self) -> None:
        self.channels: asyncio.Queue[ClientChannel] = asyncio.Queue()
        self.refused: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.port = 0

    async def arrived(self) -> ClientChannel:
        async with patiently():
            return await self.channels.get()

    async def told(self) -> tuple[str, str]:
        async with patiently():
            return await self.refused.get()


@contextlib.asynccontextmanager
async def desk(*, trusts: bool = True, patience: float = 5.0) -> AsyncIterator[Desk]:
    one = Desk()

    def greet() -> HeaderFirst:
        return HeaderFirst(
            lambda told: ClientChannel(one.channels.put_nowait, told),
            trusts=lambda host: trusts,
            refused=lambda peer, why: one.refused.put_nowait((peer, why)),
            patience=patience,
        )

    server = await asyncio.get_running_loop().create_server(greet, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    async with server:
        yield one


@contextlib.asynccontextmanager
async def visitor(desk: Desk) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_a_believed_balancer_tells_the_client_and_what_follows_is_the_clients() -> None:
    async with desk() as here, visitor(here) as (_, balancer):
        balancer.write(HEADER + b"USER alice\r\n")
        client = await here.arrived()
        assert client.peer == ("192.0.2.7", 40000)
        assert client.local == ("127.0.0.1", here.port)
        assert await client.next() == b"USER alice"
        balancer.write(b"QUIT\r\n")
        assert await client.next() == b"QUIT"
        client.close()


async def test_a_balancers_own_connection_is_its_own() -> None:
    async with desk() as here, visitor(here) as (_, balancer):
        balancer.write(b"PROXY UNKNOWN\r\n")
        client = await here.arrived()
        assert client.peer[0] == "127.0.0.1"
        client.close()


async def test_nobody_else_is_asked_for_a_header_or_believed() -> None:
    async with desk(trusts=False) as here, visitor(here) as (_, stranger):
        client = await here.arrived()
        assert client.peer[0] == "127.0.0.1"
        stranger.write(HEADER)
        assert await client.next() == HEADER.rstrip(b"\r\n")
        client.close()


async def test_a_balancer_that_says_something_else_is_told_of_and_disconnected() -> None:
    async with desk() as here, visitor(here) as (reader, balancer):
        balancer.write(b"USER alice\r\n")
        assert await here.told() == ("127.0.0.1", "no PROXY header")
        async with patiently():
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
        assert here.channels.empty()


async def test_a_balancer_that_says_nothing_is_not_waited_for_long() -> None:
    async with desk(patience=0.02) as here, visitor(here):
        assert await here.told() == ("127.0.0.1", "no PROXY header within 0.02 s")


async def test_who_only_looks_whether_anybody_is_here_has_done_nothing_wrong() -> None:
    async with desk() as here:
        async with visitor(here) as (_, balancer):
            balancer.write(b"PRO")
            await balancer.drain()
        async with visitor(here) as (_, balancer):
            balancer.write(HEADER)
            (await here.arrived()).close()
        assert here.refused.empty()
