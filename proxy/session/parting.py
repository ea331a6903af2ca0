"""How a session ends in words: the last reply, our FIN, and time for the client to read it."""

from __future__ import annotations

import asyncio
import contextlib

from proxy.ftp.reply import Reply
from proxy.net.client_channel import ClientChannel
from proxy.net.control import Disturbed, Ended

LINGER = 2.5  # seconds a client has to read a 421 before the socket goes


class Goodbye(Exception):
    """The session is over; `reason` is the word for the log, `reply` the last one sent."""

    def __init__(self, reason: str, reply: Reply) -> None:
        super().__init__(reason)
        self.reason = reason
        self.reply = reply


async def part(client: ClientChannel, reply: Reply) -> None:
    """Say the last words, FIN at once, and leave the client time to read them."""
    client.write(reply.encode())
    client.finish_writing()
    with contextlib.suppress(Ended, TimeoutError, Disturbed):
        async with asyncio.timeout(LINGER):
            while True:
                await client.next()
