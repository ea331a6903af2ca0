"""Who is at the other end of a connection that has just been made."""

from __future__ import annotations

import asyncio

Peer = tuple[str, int]


def peer_of(transport: asyncio.BaseTransport) -> Peer | None:
    """Return the address of the other end; None: nobody is there any more, and it is dropped.

    Linux hands over a connection that was reset while it waited to be accepted, and uvloop keeps
    its socket for ever unless it is told to drop it.
    """
    name = transport.get_extra_info("peername")
    if name is None:
        transport.abort()  # type: ignore[attr-defined]  # uvloop's are no asyncio.Transport
        return None
    return str(name[0]), int(name[1])
