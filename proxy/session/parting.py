"""How a session ends in words: the last reply, our FIN, and time for the client to read it."""

from __future__ import annotations

import asyncio
import contextlib

from proxy.ftp.reply import Reply
from proxy.net.client_channel import ClientChannel
from proxy.net.control import Disturbed
from proxy.net.fault import Ended
from proxy.refusals import Reason

LINGER = 2.5  # seconds a client has to read a 421 before the socket goes


class Goodbye(Exception):
    """The session is over; `reason` is the word for the log, `reply` the last one sent."""

    def __init__(self, reason: str, reply: Reply) -> None:
        super().__init__(reason)
        self.reason = reason
        self.reply = reply
        # Who is refused for want of descriptors must not keep one.
        self.linger = 0.0 if reason == Reason.DESCRIPTORS.value else LINGER


async def part(client: ClientChannel, goodbye: Goodbye) -> None:
    """Say the last words, FIN at once, and leave the client time to read them."""
    client.write(goodbye.reply.encode())
    client.finish_writing()
    with contextlib.suppress(Ended, TimeoutError, Disturbed):
        async with asyncio.timeout(goodbye.linger):
            while True:
                await client.next()
