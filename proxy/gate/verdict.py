"""Why a request cannot go on: what was missing, in figures that a refusal can tell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from proxy.refusals import Declined, Reason
from proxy.shaping.stake import Stake
from proxy.upstream.egress import Egress

from .chance import slot_chance
from .request import Request

WORTH_TELLING = 1.0  # seconds; a shorter wait is no news


def verdict(
    request: Request,
    ways: Sequence[Egress],
    *,
    now: float,
    max_wait: float,
    eta: float | None,
    rate_wait: float | None,
) -> Declined:
    """Make the Declined of what `request.blocked` names. Seconds.

    `eta`: how long it would have to wait, where that is why; `rate_wait`: until its class's rate
    allows a transfer.
    """
    waited = now - request.since
    told = round(waited) if waited >= WORTH_TELLING else None
    host, limits = request.source.host, request.source.limits
    match request.blocked:
        case Reason.BUDGET if _is_disk_full(ways):
            return Declined(Reason.STATE_FULL, waited=told)
        case Reason.BUDGET:
            chance = _soonest((slot_chance(request, way) for way in ways), now)
            stakes = [way.budget.stake for way in ways]
            return _for_want_of_the_store(stakes, now, told) or _for_want_of_a_slot(
                ways, eta, max_wait, told, chance
            )
        case Reason.SUSPECTED_BAN:
            retry = min(way.budget.banned_for for way in ways)
            return Declined(Reason.SUSPECTED_BAN, retry=retry, waited=told)
        case Reason.CLASS_TRANSFERS:
            cap = limits.transfers
            return Declined(Reason.CLASS_TRANSFERS, used=cap, limit=cap, who=host, waited=told)
        case Reason.CLASS_RATE:
            cap = limits.transfers_per_minute
            return Declined(
                Reason.CLASS_RATE, used=cap, limit=cap, who=host, retry=rate_wait, waited=told
            )
        case _:
            stakes = [way.pool.places.stake for way in ways]
            return _for_want_of_the_store(stakes, now, told) or _for_want_of_a_session(
                request, ways, now, told
            )


def _for_want_of_a_slot(
    ways: Sequence[Egress],
    eta: float | None,
    max_wait: float,
    told: float | None,
    chance: float | None,
) -> Declined:
    if eta is not None and _is_queue_the_cause(ways, eta, max_wait):
        limit = round(max_wait)
        return Declined(Reason.ETA_TOO_LONG, used=round(eta), limit=limit, retry=eta)
    limit = sum(way.budget.limit for way in ways)
    taken = sum(way.budget.taken for way in ways)
    # Places kept for control connections are as good as used for a transfer; but nobody shall read
    # that there are more connections than the limit when there are not.
    kept = sum(way.pool.places.unfilled for way in ways)
    used = max(taken, min(taken + kept, limit))
    return Declined(Reason.BUDGET, used=used, limit=limit, retry=eta or chance, waited=told)


def _for_want_of_a_session(
    request: Request, ways: Sequence[Egress], now: float, told: float | None
) -> Declined:
    for met in (way.pool.obstacle for way in ways):
        if met is not None:  # how long it has waited is not told: the room is for the words
            retry = _soonest((way.pool.retry_at for way in ways), now)
            return met.declined(retry)
    return Declined(
        Reason.QUEUE_WAIT if request.is_login else Reason.UPSTREAM_SESSIONS,
        used=sum(len(way.pool.seats) for way in ways),
        limit=sum(way.pool.places.limit for way in ways),
        waited=told,
    )


def _for_want_of_the_store(
    stakes: Sequence[Stake | None], now: float, told: float | None
) -> Declined | None:
    """Blame the store that instances share, where it keeps from us what might be ours."""
    shared = [stake for stake in stakes if stake is not None]
    if any(stake.is_left_alone(now) for stake in shared):
        return Declined(Reason.STORE_LOST, waited=told)
    if retry := max((stake.deals_nothing_for(now) for stake in shared), default=0.0):
        return Declined(Reason.STORE_NEW, retry=retry, waited=told)
    return None


def _is_disk_full(ways: Sequence[Egress]) -> bool:
    return any(way.budget.is_held_back(way.pool.places.unfilled) for way in ways)


def _soonest(moments: Iterable[float | None], now: float) -> float | None:
    """Return the seconds until the first of these moments that is to come; None: there is none."""
    return min((moment - now for moment in moments if moment and moment > now), default=None)


def _is_queue_the_cause(ways: Sequence[Egress], eta: float, max_wait: float) -> bool:
    """Tell whether those in front, and not the budget alone, make the wait so long."""
    alone = min(way.budget.eta(1, spare=way.pool.places.unfilled) for way in ways)
    return alone <= max_wait < eta
