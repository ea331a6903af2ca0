from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest

from loadtest.ports import free_port
from proxy.ftp.address import Endpoint
from proxy.net.data import AcceptingEnd, ConnectingEnd
from proxy.net.listener import ListenerPool
from proxy.refusals import Declined, Reason
from proxy.session.data_port import DataPort
from tests.support.raw_client import dial, read_some

HOST = "127.0.0.1"


@pytest.fixture
def ports() -> Iterator[ListenerPool]:
    port = free_port()
    pool = ListenerPool(port, port, clock=time.monotonic, chance=random.Random(1))
    yield pool
    pool.close()


@pytest.fixture
def data_port(ports: ListenerPool) -> Iterator[DataPort]:
    port = DataPort(ports, HOST, HOST)
    yield port
    port.drop()


async def test_nothing_is_set_at_first(data_port: DataPort) -> None:
    assert not data_port.is_set


async def test_a_listening_port_accepts_the_client(
    data_port: DataPort, ports: ListenerPool
) -> None:
    number = data_port.listen()
    assert data_port.is_set
    assert ports.lent == 1
    end = data_port.open()
    assert isinstance(end, AcceptingEnd)
    with await dial(number):
        await end.wait(5.0)
        end.finish()
    data_port.drop()
    assert ports.lent == 0
    assert not data_port.is_set


async def test_an_address_replaces_the_port_and_the_reverse(
    data_port: DataPort, ports: ListenerPool
) -> None:
    data_port.listen()
    data_port.open().finish()
    data_port.point_at(Endpoint(HOST, free_port()))
    assert ports.lent == 0
    end = data_port.open()
    assert isinstance(end, ConnectingEnd)
    end.reset()
    data_port.drop()
    assert not data_port.is_set


async def test_an_exhausted_range_is_explained(data_port: DataPort, ports: ListenerPool) -> None:
    data_port.listen()
    with pytest.raises(Declined) as caught:
        DataPort(ports, HOST, HOST).listen()
    assert caught.value.reason is Reason.PASSIVE_PORTS
    assert (caught.value.used, caught.value.limit) == (1, 1)


async def test_dropping_gives_a_waiting_connection_a_fin(data_port: DataPort) -> None:
    with await dial(data_port.listen()) as waiting:
        data_port.drop()
        assert await read_some(waiting) == b""
