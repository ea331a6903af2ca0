"""Who knocks and is gone before anybody looks costs nothing."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

from proxy.net.client_channel import ClientChannel
from proxy.net.header_first import HeaderFirst
from proxy.net.peer import Peer
from tests.support.house import open_sockets, until
from tests.support.scripted import RESET


def plain(told: Peer | None = None) -> ClientChannel:
    return ClientChannel(ClientChannel.abort, told)


def behind_a_balancer() -> HeaderFirst:
    return HeaderFirst(plain, trusts=lambda host: True, refused=lambda peer, why: None)


@pytest.mark.parametrize("greet", [plain, behind_a_balancer])
async def test_who_was_reset_before_it_was_accepted_leaves_no_socket(
    greet: Callable[[], asyncio.Protocol],
) -> None:
    loop = asyncio.get_running_loop()
    unseen: list[object] = []
    loop.set_exception_handler(lambda _, context: unseen.append(context))
    greeted: list[asyncio.Protocol] = []

    def greets() -> asyncio.Protocol:
        greeted.append(greet())
        return greeted[-1]

    with socket.create_server(("127.0.0.1", 0)) as listening:
        for _ in range(3):
            knock_and_run(listening)
        before = open_sockets()
        server = await loop.create_server(greets, sock=listening)
        async with server:
            await until(lambda: len(greeted) == 3 and open_sockets() == before)
    assert not unseen


def knock_and_run(listening: socket.socket) -> None:
    """Connect and reset at once: the kernel keeps it for whoever accepts."""
    with socket.create_connection(listening.getsockname()) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
