"""aioftp in TLS as a program: HOST PORT USER PASSWORD CA VERSION.

It gets the files named in the file `fetch` and puts those named in `store`, in one session.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from pathlib import Path

import aioftp


def content(name: str) -> bytes:
    """Read a file; nobody else is kept waiting in this process."""
    return Path(name).read_bytes()


def keep(name: str, content: bytes) -> None:
    """Write a file."""
    Path(name).write_bytes(content)


async def run(host: str, port: str, user: str, password: str, ca: str, version: str) -> None:
    """Do it all and quit."""
    context = ssl.create_default_context(cafile=ca)
    bound = ssl.TLSVersion.TLSv1_2 if version == "1.2" else ssl.TLSVersion.TLSv1_3
    context.minimum_version = context.maximum_version = bound
    ftp = aioftp.Client(socket_timeout=60.0)
    await ftp.connect(host, int(port))
    await ftp.upgrade_to_tls(context)
    await ftp.login(user, password)
    for name in content("fetch").decode().split():
        async with ftp.download_stream(name) as source:
            keep(name, await source.read())
    for name in content("store").decode().split():
        async with ftp.upload_stream(name) as target:
            await target.write(content(name))
    await ftp.quit()


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
