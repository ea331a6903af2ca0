"""A server that did not resume our TLS session for a data connection: has it forgotten it?

Servers keep TLS sessions for a time that they do not tell, and may demand that a data connection
resumes its control connection's (RFC 4217 section 10.2). One that has forgotten it and demands it
refuses each transfer on that control connection, before a byte has moved. Decides nothing: whether
another session, whose own is fresh, may go on in its place, the transfer says.
"""

from __future__ import annotations

import contextlib

from proxy.ftp.reply import Reply
from proxy.net.control import Disturbed
from proxy.refusals import Reason
from proxy.upstream.session import NO_DATA, Silent, UpstreamSession

from .healing import Broken
from .server_data import ServerData

OBJECTION = 2.0  # seconds a server has to say so, once hands are shaken


class Forgotten(Broken):
    """The server refused the data connection because of its TLS session; nothing has moved."""


def is_forgotten(server: ServerData, reply: Reply) -> bool:
    """Tell whether that is what this refusal of a transfer means, of which nothing has moved."""
    return server.resumed is False and reply.code in NO_DATA


async def objection(session: UpstreamSession, server: ServerData) -> Reply | None:
    """Wait for the word of a server that used to resume our sessions and has not now.

    For an upload's bytes cannot be had from the client once more. None: it takes them all the same.
    Raise Broken where it hung up and never says why.
    """
    try:
        with server.watching_end(lambda: session.channel.disturb(OSError("hung up"))):
            return await session.final(OBJECTION)
    except Silent:
        return None
    except Disturbed:
        server.finish()  # vsftpd says why only when we have hung up, too
    try:
        return await session.final(OBJECTION)
    except Silent:
        raise Broken(Reason.UPSTREAM_DATA_LOST) from None


async def why_nothing_came(session: UpstreamSession, server: ServerData) -> Broken:
    """Tell why the server ended a download in TLS before the first byte, if it can say so."""
    if server.resumed is False:
        with contextlib.suppress(Silent):
            reply = await session.final(OBJECTION)
            if is_forgotten(server, reply):
                return Forgotten.told(reply)
    return Broken(Reason.UPSTREAM_DATA_LOST)
