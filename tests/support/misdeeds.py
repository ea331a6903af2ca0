"""Ready-made scripts for servers that misbehave: each is a handler for `plan` or `always`."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from .honest import CHUNK, Handler, HangUp
from .honest import last_says as last_says
from .honest import says as says
from .scripted import RESET, Visit


def spits(data: bytes) -> Handler:
    """Send these bytes as they are."""

    async def answer(visit: Visit, argument: bytes) -> None:
        await visit.send(data)

    return answer


async def hangs_up(visit: Visit, argument: bytes) -> None:
    """End without a word, by FIN."""
    raise HangUp


async def resets(visit: Visit, argument: bytes) -> None:
    """End without a word, by RST."""
    visit.close(reset=True)
    raise HangUp


async def keeps_silent(visit: Visit, argument: bytes) -> None:
    """Answer nothing, not even later commands, until the client hangs up."""
    while await visit.read():
        pass
    raise HangUp


def keeps_saying(text: str) -> Handler:
    """Say the same line again and again, until the client hangs up."""

    async def answer(visit: Visit, argument: bytes) -> None:
        while True:
            await visit.say(text)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.02):
                    await visit.read()
                    raise HangUp

    return answer


def waits_for(event: asyncio.Event, verb: str) -> Handler:
    """Do the honest thing, but only after the event."""

    async def answer(visit: Visit, argument: bytes) -> None:
        await event.wait()
        await visit.obey_normally(verb, argument)

    return answer


def sends_then(data: bytes, *texts: str, reset: bool = False, hang_up: bool = False) -> Handler:
    """Open the data connection, send a part of a file, end it, and say these lines."""

    async def answer(visit: Visit, argument: bytes) -> None:
        await visit.say("150 Here it comes.")
        with await visit.data() as sock:
            await asyncio.get_running_loop().sock_sendall(sock, data)
            if reset:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        await says(*texts)(visit, argument)
        if hang_up:
            raise HangUp

    return answer


def says_after(until: asyncio.Event, *texts: str) -> Handler:
    """Say these lines once the event has come."""

    async def answer(visit: Visit, argument: bytes) -> None:
        await until.wait()
        await says(*texts)(visit, argument)

    return answer


def looks_ahead(*answers: str, data: bytes = b"") -> Handler:
    """Send a whole file and end it; then wait for the next command, drop it, and say these."""

    async def answer(visit: Visit, argument: bytes) -> None:
        await visit.say("150 Here it comes.")
        with await visit.data() as sock:
            await asyncio.get_running_loop().sock_sendall(sock, data)
        visit.lines.append((await visit.read()).rstrip())
        await says(*answers)(visit, argument)

    return answer


def keeps_then(kept: int, *texts: str, taken: int = 0, hang_up: bool = False) -> Handler:
    """Take so much of an upload (0: all there is), keep a part, reset the data, say these lines."""

    async def answer(visit: Visit, name: bytes) -> None:
        path, files = visit.path(name), visit.server.files
        offset, visit.offset = visit.offset, 0
        await visit.say("150 Send it.")
        content = files.get(path, b"")[:offset]
        got = b""
        with await visit.data() as sock:
            while data := await asyncio.get_running_loop().sock_recv(sock, CHUNK):
                got += data
                if taken and len(got) >= taken:
                    break
            files[path] = content + got[:kept]
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        visit.server.notice()
        await says(*texts)(visit, name)
        if hang_up:
            raise HangUp

    return answer
