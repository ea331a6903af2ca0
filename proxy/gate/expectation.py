"""How long one who waits will wait, as far as it can be foretold. Decides nothing, never waits."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from proxy.refusals import Reason
from proxy.shaping.fairqueue import FairQueue, Ticket
from proxy.upstream.egress import Egress

from .request import Waiting


def expected_wait(
    ticket: Ticket[Waiting],
    queue: FairQueue[Waiting],
    ways: Sequence[Egress],
    *,
    patience: float,
    rate_wait: float | None,
) -> float | None:
    """Return the seconds to come; None: nobody can tell. Within `patience` it may be too many.

    `rate_wait`: until its class's rate allows a transfer.
    """
    match ticket.item.request.blocked:
        case Reason.BUDGET if ticket.item.request.kind is not None:
            return _wait_for_budget(ticket, queue, ways, patience)
        case Reason.CLASS_RATE:
            return rate_wait or 0.0
        case Reason.SUSPECTED_BAN:
            return min(way.budget.banned_for for way in ways)
        case _:
            return None


def slot_wait(ways: Sequence[Egress], place: int) -> float:
    """Return the seconds until there is a slot for the one in this place of the line."""
    # Several addresses serve the line together: its places are dealt out among them.
    dealt = -(-place // len(ways))
    return min(way.budget.eta(dealt, spare=way.pool.places.unfilled) for way in ways)


def _wait_for_budget(
    ticket: Ticket[Waiting], queue: FairQueue[Waiting], ways: Sequence[Egress], patience: float
) -> float:
    """Whoever waits for something else stands aside."""
    pace = min(way.budget.pace(ticket.item.request.source.host) for way in ways)
    if pace:
        _, own_place = queue.position(ticket)
        return own_place * pace / len(ways)
    last = slot_wait(ways, len(queue))
    if last <= patience:
        return last  # even the last one is served in time: no need to count
    rivals = (
        other
        for other in takewhile(lambda other: other is not ticket, queue.turns())
        if other.item.request.blocked is Reason.BUDGET
    )
    return slot_wait(ways, 1 + sum(1 for _ in rivals))
