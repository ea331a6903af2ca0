"""Waiting for something, while the client hears that it waits. Knows nothing of turns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from .bell import EARLY
from .request import Request

FEED_EVERY = 5.0  # seconds of silence that every client bears (docs/CLIENTS.md, Waiting)


async def comes(
    what: asyncio.Future[Any], request: Request, deadline: float, clock: Callable[[], float]
) -> bool:
    """Tell whether it comes before the deadline; the client is fed every FEED_EVERY seconds."""
    while not what.done():
        left = deadline - clock()
        if left <= 0:
            return False
        await asyncio.wait({what}, timeout=min(left + EARLY, FEED_EVERY))
        now = clock()
        if request.feed is not None and not what.done() and now < deadline:
            request.feed(now - request.since)
    return True
