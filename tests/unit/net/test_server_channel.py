"""What is no reply ends the connection; all else is a matter of test_control.py."""

from __future__ import annotations

import asyncio
import socket

import pytest

from proxy.net.fault import Ended
from proxy.net.server_channel import ServerChannel
from tests.support.raw_client import accept


async def test_what_came_before_nonsense_still_counts_and_nothing_after_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        loop = asyncio.get_running_loop()
        _, channel = await loop.create_connection(ServerChannel, *server.getsockname())
        with await accept(server) as sock:
            await loop.sock_sendall(sock, b"220 Hello.\r\nno reply\r\n331 Too late.\r\n")
            assert (await channel.next(10.0)).code == 220
            with pytest.raises(Ended):
                await channel.next(10.0)
