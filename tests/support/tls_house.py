"""The whole proxy before a scripted server that speaks TLS, and what such a server may do."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Any

from proxy.net.certificate import CertificateFiles, server_context

from .authority import Authority
from .honest import GREETING, Handler, says
from .house import House, house
from .scripted import Scripted, Visit, scripted

CONTENT = bytes(range(256)) * 1000


def starts_tls(context: ssl.SSLContext) -> Handler:
    async def handler(visit: Visit, _: bytes) -> None:
        await visit.say("234 Go on.")
        await visit.start_tls(context)

    return handler


def greets_in_tls(context: ssl.SSLContext) -> Handler:
    async def handler(visit: Visit, _: bytes) -> None:
        await visit.start_tls(context)
        await visit.say("220 Hello.")

    return handler


async def retrieves(visit: Visit, _: bytes) -> None:
    """Send the content in TLS, with its goodbye."""
    await visit.say("150 Here it comes.")
    data = await visit.protected_data()

    def send() -> None:
        with data:
            data.sendall(CONTENT)
            data.unwrap()

    await asyncio.to_thread(send)
    await visit.say("226 Done.")


def stores(context: ssl.SSLContext | None = None) -> Handler:
    """Take a file in TLS, and notice if it is cut; another context forgets the session."""

    async def handler(visit: Visit, name: bytes) -> None:
        await visit.say("150 Send it.")
        data = await visit.protected_data(context)

        def receive() -> bytes:
            content = b""
            with data:
                while piece := data.recv(1 << 16):
                    content += piece
            return content

        visit.server.files[visit.path(name)] = await asyncio.to_thread(receive)
        await visit.say("226 Stored.")

    return handler


def forgets(context: ssl.SSLContext, refusal: str, *, waits: bool = False) -> Handler:
    """Demand that the session is resumed, and do not know it: `context` is another one.

    With `waits` the refusal comes only once the other side has hung up, too.
    """

    async def handler(visit: Visit, _: bytes) -> None:
        await visit.say("150 Just a moment.")
        data = await visit.protected_data(context)
        assert not data.session_reused

        def hang_up() -> None:
            with data, contextlib.suppress(OSError):
                data.shutdown(socket.SHUT_WR)
                while waits and data.recv(1000):
                    pass

        await asyncio.to_thread(hang_up)
        await visit.say(refusal)

    return handler


async def cuts(visit: Visit, _: bytes) -> None:
    """Send half of it, then FIN without a goodbye, and claim success."""
    await visit.say("150 Here it comes.")
    data = await visit.protected_data()

    def send() -> None:
        with data:
            data.sendall(CONTENT[: len(CONTENT) // 2])

    await asyncio.to_thread(send)
    await visit.say("226 Done.")


@contextlib.asynccontextmanager
async def home_before(
    authority: Authority,
    *names: str,
    tls: str = "explicit",
    expires_in: datetime.timedelta | None = None,
    timeouts: dict[str, float] | None = None,
    heal: str = "on",
    **upstream: Any,
) -> AsyncIterator[tuple[House, Scripted]]:
    """Run the proxy before a scripted server in TLS, with a certificate for these names."""
    certificate = authority.issue(*names, expires_in=expires_in).certificate
    context = server_context(CertificateFiles(str(certificate)))
    async with (
        scripted({b"/file": CONTENT}) as server,
        house(
            server,
            upstream={"tls": tls, "ca": str(authority.ca), **upstream},
            timeouts=timeouts or {},
            heal={"downloads": heal},
        ) as home,
    ):
        server.always |= {
            "AUTH": starts_tls(context),
            "PBSZ": says("200 PBSZ=0"),
            "PROT": says("200 Protected."),
            "RETR": retrieves,
            "STOR": stores(),
        }
        if tls == "implicit":
            server.always[GREETING] = greets_in_tls(context)
        yield home, server
