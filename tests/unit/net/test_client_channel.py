"""What a client says first; what it says then is a matter of test_control.py."""

from __future__ import annotations

import asyncio

import pytest

from proxy.net.client_channel import CLIENT_HELLO, ClientChannel
from proxy.net.fault import Ended
from tests.support.raw_client import RawClient


async def met(first: bytes) -> ClientChannel:
    """Return the channel with a client that has said this and hung up."""
    loop = asyncio.get_running_loop()
    opened: asyncio.Future[ClientChannel] = loop.create_future()
    server = await loop.create_server(lambda: ClientChannel(opened.set_result), "127.0.0.1", 0)
    async with server, RawClient.connected(server.sockets[0].getsockname()[1]) as client:
        await client.send(first)
    return await opened


async def test_tls_where_nobody_asked_for_it_is_a_fault_and_no_command() -> None:
    channel = await met(CLIENT_HELLO + b"\x01\x02\x00\nDELE a\r\n")
    with pytest.raises(Ended, match="TLS from its first byte on"):
        await channel.next(10.0)
    channel.abort()


async def test_later_the_same_bytes_are_just_an_odd_command() -> None:
    channel = await met(b"NOOP\r\n" + CLIENT_HELLO + b"\r\n")
    assert await channel.next(10.0) == b"NOOP"
    assert await channel.next(10.0) == CLIENT_HELLO
    channel.abort()
