"""When time alone may let a request go on that cannot go on now. Decides nothing and never waits.

A moment in which it fails again only leads to the next question.
"""

from __future__ import annotations

from collections.abc import Sequence

from proxy.refusals import Reason
from proxy.shaping.ledger import Kind
from proxy.upstream.egress import Egress

from .request import Request


def next_chance(
    request: Request,
    ways: Sequence[Egress],
    *,
    stay: float,
    rate_wait: float | None,
    now: float,
) -> float | None:
    """Return the moment on the clock; None: something must happen first.

    `stay`: for how long a session in use is left to its own login; `rate_wait`: until its class's
    rate allows a transfer. Seconds.
    """
    match request.blocked:
        case Reason.CLASS_TRANSFERS:
            return None
        case Reason.CLASS_RATE:
            return None if rate_wait is None else now + rate_wait
        case Reason.BUDGET | Reason.SUSPECTED_BAN if request.kind is not None:
            chances = [slot_chance(request, way) for way in ways]
        case _:
            # What keeps one from a session may have changed since: places, the server, the slot
            # that a control connection needs too.
            chances = [
                chance
                for way in ways
                for chance in (
                    way.pool.retry_at,
                    slot_chance(request, way),
                    way.pool.spare_at(stay),
                )
                if chance is not None and chance > now
            ]
    return min((chance for chance in chances if chance is not None), default=None)


def slot_chance(request: Request, way: Egress) -> float | None:
    """Return the moment on the clock at which there may be a slot for what it lacks there; None:
    not by time alone. Without a transfer it is the slot of a control connection."""
    if request.kind is None:
        return way.budget.next_chance(Kind.CONTROL, "")
    spare = way.pool.places.unfilled
    return way.budget.next_chance(request.kind, request.source.host, spare=spare)
