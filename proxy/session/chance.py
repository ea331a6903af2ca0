"""When time alone may let a request go on that cannot go on now. Decides nothing and never waits.

A moment in which it fails again only leads to the next question.
"""

from __future__ import annotations

from collections.abc import Sequence

from proxy.refusals import Reason
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
        case Reason.BUDGET | Reason.SUSPECTED_BAN:
            host = request.source.host
            chances = [way.budget.next_chance(host, spare=way.pool.places.unfilled) for way in ways]
        case Reason.CLASS_RATE:
            chances = [None if rate_wait is None else now + rate_wait]
        case Reason.UPSTREAM_SESSIONS:
            # A control connection needs a slot too, and one may have to cool down first.
            chances = [
                chance
                for way in ways
                for chance in (way.pool.retry_at, way.budget.next_free(), way.pool.spare_at(stay))
                if chance is not None and chance > now
            ]
        case _:
            chances = []
    return min((chance for chance in chances if chance is not None), default=None)
