"""Asks whether a server is there: connect, hear the greeting, QUIT. Never logs in.

It counts as what it is, a control connection: it takes a place and a slot, or does not go.
"""

from __future__ import annotations

import asyncio

from proxy.shaping.holds import Ending
from proxy.shaping.ledger import Kind

from .arrivals import REST_AFTER_CLOSE
from .egress import Egress
from .farewell import say_goodbye
from .seat import Seat, Use


async def knock(way: Egress, now: float) -> bool:
    """Return True when the server greets us; False: there was no place or slot for it.

    Raise DialError; Busy among them, which a server says that is there.
    """
    pool, places = way.pool, way.pool.places
    slot = way.budget.reserve(Kind.CONTROL, "") if places.is_free() else None
    if slot is None:
        return False
    seat = Seat(slot, Use.OPENING, now)
    places.fill(seat)
    try:
        session = seat.session = await pool.dialer.connect(now)
        await pool.dialer.greeting(session)
        seat.become(Use.CLOSING, now)
        await say_goodbye(seat, resets=False)
    finally:
        if seat.session is None:
            seat.ending = Ending.UNANSWERED
        else:
            seat.session.channel.abort()
        way.budget.settle(slot, seat.ending)
        asyncio.get_running_loop().call_later(REST_AFTER_CLOSE, pool.vacate, seat)
    return True
