"""aioftp as a program: HOST PORT USER PASSWORD PATIENCE list|get|put [PATH].

It lists to standard output, gets into the file `got` and puts the file `given`. A process of its
own, because aioftp forgets to close the data connection of a command that was refused, and the
tests of the proxy must not answer for that.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import aioftp


async def names(session: AbstractAsyncContextManager[aioftp.Client]) -> str:
    """Return the names in the home, one per line."""
    async with session as ftp:
        return "\n".join([str(name) async for name, _ in ftp.list()])


async def content(session: AbstractAsyncContextManager[aioftp.Client], path: str) -> bytes:
    """Return the content of a file."""
    async with session as ftp, ftp.download_stream(path) as source:
        return bytes(await source.read())


async def store(
    session: AbstractAsyncContextManager[aioftp.Client], path: str, given: bytes
) -> None:
    """Store a file."""
    async with session as ftp, ftp.upload_stream(path) as target:
        await target.write(given)


def main(host: str, port: str, user: str, password: str, patience: str, *deed: str) -> None:
    """Do one thing and quit."""
    session = aioftp.Client.context(host, int(port), user, password, socket_timeout=float(patience))
    match deed:
        case ["list"]:
            sys.stdout.write(asyncio.run(names(session)))
        case ["get", path]:
            Path("got").write_bytes(asyncio.run(content(session, path)))
        case ["put", path]:
            asyncio.run(store(session, path, Path("given").read_bytes()))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
