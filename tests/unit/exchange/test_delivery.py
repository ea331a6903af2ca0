from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from proxy.exchange.client_data import ClientData
from proxy.exchange.delivery import CLIENT_CLOSED, Delivery
from proxy.exchange.rules import ExchangeRules
from proxy.ftp.reply import Reply
from proxy.net.custom import Custom
from proxy.net.data import ConnectingEnd
from proxy.refusals import Declined, Reason
from tests.support.raw_client import accept, is_reset, read_all, read_some
from tests.support.rules import RULES

HOST = "127.0.0.1"
CONTENT = b"-rw-r--r-- 1 a b 10 Jan 1 00:00 ten\r\n"
LONG = CONTENT * 600_000  # more than any socket holds


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server((HOST, 0)) as sock:
        sock.setblocking(False)
        yield sock


def delivery(
    content: bytes, port: int, said: list[Reply], rules: ExchangeRules = RULES
) -> Delivery:
    client = ClientData(
        lambda: ConnectingEnd(HOST, port, HOST), lambda: None, goodbyes=Custom(), rules=rules
    )
    return Delivery(content, rules, client, preliminary=said.append, open_tap=lambda: None)


async def test_what_is_here_is_announced_sent_and_ended_by_fin(listener: socket.socket) -> None:
    said: list[Reply] = []
    sends = delivery(CONTENT, listener.getsockname()[1], said)
    async with asyncio.TaskGroup() as group:
        reply = group.create_task(sends.run())
        with await accept(listener) as peer:
            assert await read_all(peer) == CONTENT
    assert (reply.result().code, sends.moved) == (226, len(CONTENT))
    assert [reply.code for reply in said] == [150]


async def test_a_client_that_closes_early_hears_426(listener: socket.socket) -> None:
    sends = delivery(LONG, listener.getsockname()[1], [])
    async with asyncio.TaskGroup() as group:
        reply = group.create_task(sends.run())
        with await accept(listener) as peer:
            assert await read_some(peer)
    assert reply.result() is CLIENT_CLOSED


async def test_a_client_that_does_not_read_is_given_up_with_a_reset(
    listener: socket.socket,
) -> None:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sends = delivery(LONG, listener.getsockname()[1], [], replace(RULES, stall=0.2))
    async with asyncio.TaskGroup() as group:
        client = group.create_task(accept(listener))
        with pytest.raises(Declined) as declined:
            await sends.run()
    assert declined.value.reason is Reason.STALLED
    with client.result() as peer:
        assert await is_reset(peer)


async def test_a_client_that_cannot_be_reached_is_told_why(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    listener.close()
    with pytest.raises(Declined) as declined:
        await delivery(CONTENT, port, []).run()
    assert declined.value.reason is Reason.CLIENT_DATA
