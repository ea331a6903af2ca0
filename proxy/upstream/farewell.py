"""How a control connection to the server ends: QUIT where that makes sense, then its socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sized

from proxy.shaping.holds import Ending

from .seat import Seat
from .session import Lost, UpstreamSession

GOODBYE = 1.0  # seconds the server has for its 221, and again for its FIN


async def say_goodbye(seat: Seat, *, resets: bool) -> None:
    """QUIT where that makes sense, then close; done when the socket is gone."""
    session = seat.session
    assert session is not None
    channel = session.channel
    if session.is_clean:
        channel.watch = None
        if await _has_left(session) and resets:
            seat.ending = Ending.RESET
            channel.reset()
        channel.close()
    else:
        channel.abort()
    if not await channel.wait_closed(GOODBYE):
        channel.abort()
        await channel.wait_closed(GOODBYE)


async def _has_left(session: UpstreamSession) -> bool:
    """Say QUIT; tell whether the server has hung up in time, however much it says instead."""
    with contextlib.suppress(Lost, TimeoutError):
        async with asyncio.timeout(2 * GOODBYE):
            await session.ask(b"QUIT", GOODBYE)
            # Until its FIN the server may still count the session (and a busy machine ours).
            return await session.channel.wait_ended(GOODBYE)
    return False


async def wait_until_gone(seats: Sized, freed: asyncio.Event, cut: Callable[[], None]) -> None:
    """Wait until no seat is left; those that take too long are cut. `freed` tells of each."""
    while seats:
        freed.clear()
        try:
            async with asyncio.timeout(2 * GOODBYE):
                await freed.wait()
        except TimeoutError:
            cut()
