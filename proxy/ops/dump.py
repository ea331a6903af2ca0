"""The state of everything as one event, for a process that does something nobody understands.

Names sessions, addresses and places in the code; never a password, a path or what a client sent.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

from proxy.events import StateTold
from proxy.phase import Phase
from proxy.session.roster import Roster

from .watched import Server, every_way

MOST = 200  # items of each list: a line of the log has its limits too


def state(phase: Phase, roster: Roster, servers: Sequence[Server]) -> StateTold:
    """Tell what everybody is doing."""
    egresses = every_way(servers)
    return StateTold(
        phase=phase.value,
        sessions=_cut((f"{guest.id} {guest.doing}" for guest in roster), len(roster)),
        waiting=sum(server.gate.waiting for server in servers),
        upstream=tuple(
            f"{seat.session.id if seat.session else '-'} {seat.use.name}"
            for egress in egresses
            for seat in egress.pool.seats
        ),
        budgets=tuple(
            f"{egress.budget.open} open, {egress.budget.used} of {egress.budget.limit} used"
            for egress in egresses
        ),
        tasks=tasks(),
    )


def tasks() -> tuple[str, ...]:
    """Tell where the tasks of this loop are waiting, and how many at each place."""
    places = Counter(_place(task) for task in asyncio.all_tasks())
    return _cut((f"{count} {place}" for place, count in places.most_common()), len(places))


def _place(task: asyncio.Task[object]) -> str:
    frames = task.get_stack(limit=1)
    where = f" at {frames[0].f_code.co_filename}:{frames[0].f_lineno}" if frames else ""
    return f"{getattr(task.get_coro(), '__qualname__', 'task')}{where}"


def _cut(items: Iterable[str], count: int) -> tuple[str, ...]:
    told = tuple(islice(items, MOST))
    return told if count <= MOST else (*told, f"and {count - MOST} more")
