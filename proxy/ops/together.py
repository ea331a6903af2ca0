"""Several workers' views made one. Pure: values in, values out.

What each worker has is added up; what they share, all of them tell, and one answer is enough. What
is taken elsewhere is told without their own parts, which each of them takes for another's.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from proxy.config.in_effect import Setting
from proxy.phase import Phase

from .pulse import Sample
from .snapshot import (
    MOST_REFUSALS,
    MOST_SESSIONS,
    MOST_WAITERS,
    BudgetSeen,
    ClassQueue,
    ClassSeen,
    ClientSeen,
    MachineSeen,
    QueueSeen,
    ServerQueue,
    Snapshot,
    Totals,
    WorkerSeen,
)

ABOUT: Final = 2.0  # seconds: samples that are farther apart are not of the same moment
ORDER: Final = list(Phase)

S = TypeVar("S")
T = TypeVar("T")


def one_snapshot(of_workers: Sequence[Snapshot | None]) -> Snapshot:
    """Make one snapshot of those of all workers, of which at least one must have answered."""
    seen = [one for one in of_workers if one is not None]
    sessions = tuple(client for one in seen for client in one.sessions)
    lost = [one.store_lost for one in seen if one.store_lost]
    troubles = [one.trouble for one in seen if one.trouble is not None]
    refusals = sorted((each for one in seen for each in one.refusals), key=lambda each: -each.at)
    budgets = tuple(_grouped(seen, lambda one: one.budgets, lambda one: one.name, _budget))
    return replace(
        seen[0],
        at=max(one.at for one in seen),
        started=min(one.started for one in seen),
        phase=max((one.phase for one in seen), key=ORDER.index),
        listen=tuple(dict.fromkeys(place for one in seen for place in one.listen)),
        budgets=budgets,
        queue=_queue([one.queue for one in seen]),
        sessions_total=sum(one.sessions_total for one in seen),
        sessions=sessions[:MOST_SESSIONS],
        upstream_limit=max(one.upstream_limit for one in seen),
        upstream_elsewhere=sum(one.sessions_elsewhere for one in budgets),
        upstream_sessions=tuple(each for one in seen for each in one.upstream_sessions),
        classes=tuple(
            _recounted(one, sessions)
            for one in _grouped(seen, lambda one: one.classes, lambda one: one.name, _class)
        ),
        refusals=tuple(refusals[:MOST_REFUSALS]),
        trouble=max(troubles, key=lambda one: one.urgency, default=None),
        store_lost=lost[0] if lost else "",
        store_new_for=max(one.store_new_for for one in seen),
        totals=_totals([one.totals for one in seen]),
        workers=tuple(_worker(at, one) for at, one in enumerate(of_workers, 1)),
        machines=tuple(
            _grouped(
                seen, lambda one: one.machines, lambda one: (one.server, one.address), _machine
            )
        ),
    )


def one_history(of_workers: Sequence[Sequence[Sample]]) -> Iterator[Sample]:
    """Add up what the workers had at about the same moments, as far back as one remembers."""
    longest = max(of_workers, key=len, default=())
    others = [(samples, [one.at for one in samples]) for samples in of_workers if samples]
    for moment in longest:
        now = []
        for samples, moments in others:
            at = bisect_right(moments, moment.at + ABOUT / 2) - 1
            if at >= 0 and moment.at - moments[at] < ABOUT:
                now.append(samples[at])
        yield Sample(
            at=moment.at,
            open=sum(one.open for one in now),
            cooling=sum(one.cooling for one in now),
            limit=max(one.limit for one in now),
            waiting=sum(one.waiting for one in now),
        )


def one_list(of_workers: Sequence[Sequence[Setting]]) -> Iterator[Setting]:
    """List every setting once; of what is divided among the workers, all parts."""
    values: dict[str, dict[str, None]] = defaultdict(dict)
    for setting in (setting for settings in of_workers for setting in settings):
        values[setting.key][setting.value] = None
    for setting in of_workers[0]:
        yield replace(setting, value=", ".join(values[setting.key]))


def _grouped(
    seen: Sequence[S],
    parts: Callable[[S], Iterable[T]],
    name: Callable[[T], Hashable],
    join: Callable[[list[T]], T],
) -> Iterator[T]:
    groups: dict[Hashable, list[T]] = defaultdict(list)
    for part in (part for one in seen for part in parts(one)):
        groups[name(part)].append(part)
    return (join(group) for group in groups.values())


def _budget(parts: list[BudgetSeen]) -> BudgetSeen:
    ours = sum(one.used for one in parts)
    sessions = sum(one.sessions for one in parts)
    next_slots = [one.next_slot for one in parts if one.next_slot is not None]
    return replace(
        parts[0],
        open=sum(one.open for one in parts),
        cooling=sum(one.cooling for one in parts),
        elsewhere=_beyond(ours, (one.used + one.elsewhere for one in parts)),
        limit=min(one.limit for one in parts),
        longest_hold=max(one.longest_hold for one in parts),
        next_slot=min(next_slots, default=None),
        per_second=max(one.per_second for one in parts),
        banned_for=max(one.banned_for for one in parts),
        sessions=sessions,
        sessions_elsewhere=_beyond(
            sessions, (one.sessions + one.sessions_elsewhere for one in parts)
        ),
        sessions_limit=max(one.sessions_limit for one in parts),
        sessions_configured=max(one.sessions_configured for one in parts),
        is_lowered=any(one.is_lowered for one in parts),
    )


def _queue(parts: list[QueueSeen]) -> QueueSeen:
    waiters = sorted((each for one in parts for each in one.first), key=lambda each: -each.waited)
    return QueueSeen(
        length=sum(one.length for one in parts),
        limit=sum(one.limit for one in parts),
        max_wait=max(one.max_wait for one in parts),
        oldest=max(one.oldest for one in parts),
        classes=tuple(
            _grouped(
                parts,
                lambda one: one.classes,
                lambda one: (one.client_class, one.server),
                _class_queue,
            )
        ),
        first=tuple(
            replace(each, place=place) for place, each in enumerate(waiters[:MOST_WAITERS], 1)
        ),
        servers=tuple(
            _grouped(parts, lambda one: one.servers, lambda one: one.server, _server_queue)
        ),
    )


def _class_queue(parts: list[ClassQueue]) -> ClassQueue:
    return replace(
        parts[0],
        length=sum(one.length for one in parts),
        oldest=max(one.oldest for one in parts),
    )


def _server_queue(parts: list[ServerQueue]) -> ServerQueue:
    return replace(
        parts[0],
        limit=sum(one.limit for one in parts),
        max_wait=max(one.max_wait for one in parts),
    )


def _class(parts: list[ClassSeen]) -> ClassSeen:
    return replace(
        parts[0],
        sources=max(one.sources for one in parts),
        sessions=sum(one.sessions for one in parts),
        transfers=sum(one.transfers for one in parts),
        waiting=sum(one.waiting for one in parts),
        slots=sum(one.slots for one in parts),
        most_slots_of_one=max(one.most_slots_of_one for one in parts),
    )


def _beyond(ours: int, taken: Iterable[int]) -> int:
    """Tell what others than our workers have: each of them takes the other workers' for others'."""
    return max(0, max(taken) - ours)


def _machine(parts: list[MachineSeen]) -> MachineSeen:
    """Who has not asked it lately does not know yet that it is down."""
    sessions = sum(one.sessions for one in parts)
    return replace(
        max(parts, key=lambda one: one.down_for or 0.0),
        sessions=sessions,
        elsewhere=_beyond(sessions, (one.sessions + one.elsewhere for one in parts)),
        limit=max(one.limit for one in parts),
    )


def _recounted(one: ClassSeen, sessions: Sequence[ClientSeen]) -> ClassSeen:
    """Count its sources anew: the same one may be at several workers."""
    sources = {client.source for client in sessions if client.client_class == one.name}
    return replace(one, sources=max(one.sources, len(sources)))


def _totals(parts: list[Totals]) -> Totals:
    return Totals(*(sum(getattr(one, name) for one in parts) for name in Totals.__match_args__))


def _worker(number: int, seen: Snapshot | None) -> WorkerSeen:
    if seen is None:
        return WorkerSeen(number, answers=False, phase="", sessions=0, waiting=0, slots=0)
    slots = sum(budget.used for budget in seen.budgets)
    return WorkerSeen(number, True, seen.phase.value, seen.sessions_total, seen.queue.length, slots)
