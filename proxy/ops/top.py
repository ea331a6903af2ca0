"""`ftpweir top`: one screen that follows a running proxy. Asks, and changes nothing."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from . import tables
from .ask import NoAnswer, StatusAddress
from .page.answers import SECTIONS

PACE = 10  # looks over which a rate is told
ORDER = {"": 2, "queue": 1}  # of clients by phase; who moves bytes comes first


def follow(place: StatusAddress, console: Console, every: float) -> None:
    """Draw anew every so many seconds until interrupted; once, where there is no terminal."""
    screen = Screen(console.height)
    if not console.is_terminal:
        console.print(screen.drawn(place.ask("status")))
        return
    with Live(console=console, screen=True, auto_refresh=False) as live:
        for picture in _pictures(screen, place, every):
            live.update(picture, refresh=True)


def _pictures(screen: Screen, place: StatusAddress, every: float) -> Iterator[RenderableType]:
    while True:
        try:
            yield screen.drawn(place.ask("status"))
        except NoAnswer as problem:
            yield Text(str(problem), "bold red")
        time.sleep(every)


class Screen:
    """Makes a picture of each snapshot; remembers a few, for rates."""

    def __init__(self, height: int) -> None:
        self._height = height
        self._seen: deque[tuple[float, int, int]] = deque(maxlen=PACE)

    def drawn(self, seen: dict[str, Any]) -> RenderableType:
        """Return the picture of a snapshot, cut to the height of the screen."""
        seats, machines = seen["upstream_sessions"], seen.get("machines", ())
        above = len(seats) + 2 * len(seen["budgets"]) + (len(machines) + 2 if machines else 0)
        rows = max(6, self._height - above - 10)
        waiting = {**seen["queue"], "first": seen["queue"]["first"][: rows // 3]}
        clients = sorted(seen["sessions"], key=lambda one: ORDER.get(one["phase"], 0))
        left = rows - len(waiting["first"])
        parts: Iterable[RenderableType] = (
            Text(self._head(seen), "bold"),
            tables.budget(seen),
            Text(),
            tables.queue(waiting),
            Text(),
            tables.upstream(SECTIONS["upstream"](seen)),
            Text(),
            tables.sessions({"sessions": clients[:left], "total": seen["sessions_total"]}),
        )
        picture = Group(*parts)
        _cut(picture)
        return picture

    def _head(self, seen: dict[str, Any]) -> str:
        totals = seen["totals"]
        self._seen.append((seen["at"], totals["transfers"], totals["bytes_moved"]))
        (since, transfers, moved), (now, *_) = self._seen[0], self._seen[-1]
        gap = max(now - since, 0.001)
        words = (
            f"ftpweir {seen['version']} {seen['phase']}",
            *_workers(seen["workers"]),
            f"{seen['sessions_total']} clients",
            f"{60 * (totals['transfers'] - transfers) / gap:.0f} transfers a minute",
            f"{tables.size((totals['bytes_moved'] - moved) / gap)}/s",
            f"{totals['refusals']} refusals",
            f"up {tables.duration(seen['at'] - seen['started'])}",
        )
        return " \u00b7 ".join(words)


def _workers(workers: list[dict[str, Any]]) -> tuple[str, ...]:
    """Count those that answer; say nothing where one process does it all."""
    answers = sum(one["answers"] for one in workers)
    return (f"{answers} of {len(workers)} workers",) if workers else ()


def _cut(part: RenderableType) -> None:
    """Have each row take one line on the narrowest terminal: the screen is counted in lines."""
    match part:
        case Group():
            for one in part.renderables:
                _cut(one)
        case Table():
            for column in part.columns:
                column.header = Text(str(column.header))
                for cell in (column.header, *column.cells):
                    _cut(cell)
        case Text():
            part.no_wrap, part.overflow = True, "ellipsis"
        case _:
            pass
