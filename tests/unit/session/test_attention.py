from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from proxy.net.client_channel import ClientChannel
from proxy.net.fault import Ended
from proxy.session.attention import Attention


class Running:
    """A transfer whose client may leave or not."""

    def __init__(self, *, may_lose_client: bool) -> None:
        self.may_lose_client = may_lose_client


@pytest.fixture
async def client() -> AsyncIterator[ClientChannel]:
    channel = ClientChannel(lambda _: None)
    yield channel
    channel.connection_lost(None)


async def heard(attention: Attention, client: ClientChannel, data: bytes) -> bool:
    """Tell whether what the client does breaks the step off."""
    loop = asyncio.get_running_loop()
    if data:
        loop.call_soon(client.data_received, data)
    else:
        loop.call_soon(client.eof_received)
    with attention:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return False
    return True


async def test_an_abor_breaks_off_a_transfer_and_stays_in_line(client: ClientChannel) -> None:
    attention = Attention(client)
    attention.transfer = Running(may_lose_client=False)
    assert await heard(attention, client, b"NOOP\r\nABOR\r\n")
    assert list(client.pending) == [b"NOOP", b"ABOR"]


async def test_an_abor_breaks_off_nothing_but_a_transfer(client: ClientChannel) -> None:
    assert not await heard(Attention(client), client, b"ABOR\r\n")


async def test_any_other_command_waits_its_turn(client: ClientChannel) -> None:
    attention = Attention(client)
    attention.transfer = Running(may_lose_client=False)
    assert not await heard(attention, client, b"NOOP\r\nQUIT\r\n")


async def test_a_client_that_leaves_is_not_waited_for(client: ClientChannel) -> None:
    attention = Attention(client)
    assert await heard(attention, client, b"")
    with pytest.raises(Ended):
        attention.raise_if_gone()


async def test_a_client_that_said_quit_waits_for_its_answer(client: ClientChannel) -> None:
    client.data_received(b"QUIT\r\n")
    attention = Attention(client)
    assert not await heard(attention, client, b"")
    assert not attention.is_gone


async def test_a_client_that_has_sent_its_whole_upload_may_go(client: ClientChannel) -> None:
    attention = Attention(client)
    attention.transfer = Running(may_lose_client=True)
    assert not await heard(attention, client, b"")


async def test_nothing_is_begun_for_a_client_that_is_gone(client: ClientChannel) -> None:
    client.eof_received()
    with pytest.raises(Ended), Attention(client):
        raise AssertionError("never entered")
