"""The client's side of a transfer: begun once, told its 150 in time, ended once."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from proxy.exchange.client_data import ClientData
from proxy.net.custom import Custom
from proxy.net.data import ConnectingEnd, DataEnd
from proxy.refusals import Declined, Reason
from tests.support.raw_client import accept, is_reset, read_all
from tests.support.rules import RULES

HOST = "127.0.0.1"


class Client:
    """Listens as a client that has sent PORT, and counts what is done to it."""

    def __init__(self) -> None:
        self.sock = socket.create_server((HOST, 0))
        self.sock.setblocking(False)
        self._port = self.sock.getsockname()[1]
        self.begun = self.flushed = 0
        self.data = ClientData(self._begin, self._flush, goodbyes=Custom(), rules=RULES)

    def _begin(self) -> DataEnd:
        self.begun += 1
        return ConnectingEnd(HOST, self._port, HOST)

    def _flush(self) -> None:
        self.flushed += 1


@pytest.fixture
def client() -> Iterator[Client]:
    it = Client()
    with it.sock:
        yield it


async def test_it_is_begun_once_for_all_attempts(client: Client) -> None:
    assert not client.data.was_begun
    client.data.open()
    with await accept(client.sock):
        first = await client.data.wait()
        client.data.open()
        assert await client.data.wait() is first
        assert (client.begun, client.data.was_begun) == (1, True)
        client.data.close()


async def test_what_waits_to_be_told_goes_out_while_it_is_not_open(client: Client) -> None:
    client.data.open()
    assert client.flushed == 1
    with await accept(client.sock):
        await client.data.wait()
        client.data.open()
        assert client.flushed == 1
        client.data.close()


async def test_it_ends_in_peace_or_by_reset(client: Client) -> None:
    client.data.open()
    with await accept(client.sock) as peer:
        await client.data.wait()
        client.data.finish()
        client.data.close()
        assert await read_all(peer) == b""

    other = Client()
    with other.sock:
        other.data.open()
        with await accept(other.sock) as peer:
            await other.data.wait()
            other.data.close()
            assert await is_reset(peer)


async def test_a_client_that_cannot_be_reached_is_told_why(client: Client) -> None:
    client.sock.close()
    client.data.open()
    with pytest.raises(Declined) as declined:
        await client.data.wait()
    assert declined.value.reason is Reason.CLIENT_DATA
    client.data.close()


def test_one_that_was_never_begun_has_nothing_to_end(client: Client) -> None:
    client.data.close()
    assert not client.begun
