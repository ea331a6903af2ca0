"""The load: starts scripts when their schedule says so, or again and again in a closed loop.

An open load starts a script at its moment however slow the others are; latency is counted from that
moment. A closed load measures what is the most that can be had, and hides how long people waited.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from time import monotonic

from ..layout import Member, members
from ..record import Kind, Outcome, Record
from ..scenario import Load, Scenario
from .arrivals import SCHEDULES
from .client import Place, Session
from .desk import Desk
from .script import Account, Script


@dataclass(frozen=True, slots=True)
class Assignment:
    """One worker's part of the work."""

    scenario: Scenario
    host: str
    port: int
    tells_sources_apart: bool
    worker: int
    workers: int
    starts_at: float  # of the machine's monotonic clock


def run_script(assignment: Assignment, places: list[Member], number: int, desk: Desk) -> Script:
    """Make the script with this number."""
    member = places[number % len(places)]
    source = member.source(number) if assignment.tells_sources_apart else None
    return Script(
        number,
        member,
        Place(assignment.host, assignment.port, source),
        Account(*assignment.scenario.server.account),
        desk,
        assignment.scenario.load.seed,
    )


def schedule(load: Load, many: int) -> list[float]:
    """Return when each script of an open load starts, in seconds after the beginning."""
    return SCHEDULES[load.arrivals](load.rate, load.duration, many, load.seed)


class Crowd:
    """All scripts of one worker, until the last has ended or the time is up."""

    def __init__(self, assignment: Assignment, desk: Desk) -> None:
        self._assignment = assignment
        self._load = assignment.scenario.load
        self._desk = desk
        self._places = members(assignment.scenario.scripts)
        self._running = 0
        self._leaked: list[Session] = []

    async def run(self) -> None:
        """Return when it is over; scripts that still ran have handed in that they were cut."""
        try:
            async with asyncio.timeout_at(self._loop_time(self._load.time_limit)):
                await self._open() if self._load.model == "open" else await self._closed()
        except TimeoutError:
            self._desk.reason("the time limit of the run was reached")
        finally:
            for session in self._leaked:
                session.drop()

    async def _open(self) -> None:
        at_most = self._load.at_most // self._assignment.workers
        async with asyncio.TaskGroup() as tasks:
            for number, moment in self._mine(schedule(self._load, len(self._places))):
                scheduled = self._assignment.starts_at + moment
                if (early := scheduled - monotonic()) > 0:
                    await asyncio.sleep(early)
                if self._running >= at_most:
                    self._skip(number, scheduled)
                    continue
                tasks.create_task(self._one(number, scheduled))

    async def _closed(self) -> None:
        await asyncio.sleep(max(0.0, self._assignment.starts_at - monotonic()))
        end = self._assignment.starts_at + self._load.duration
        async with asyncio.TaskGroup() as tasks:
            for place in range(self._assignment.worker, len(self._places), self._step):
                tasks.create_task(self._again_and_again(place, end))

    async def _again_and_again(self, place: int, end: float) -> None:
        for lap in count():
            if monotonic() >= end:
                return
            await self._one(place + lap * len(self._places), monotonic())

    async def _one(self, number: int, scheduled: float) -> None:
        self._running += 1
        script = run_script(self._assignment, self._places, number, self._desk)
        try:
            await script.run(scheduled)
        finally:
            self._running -= 1
            if script.leaked is not None:
                self._leaked.append(script.leaked)

    def _mine(self, moments: list[float]) -> Iterator[tuple[int, float]]:
        for number in range(self._assignment.worker, len(moments), self._step):
            yield number, moments[number]

    def _skip(self, number: int, scheduled: float) -> None:
        now = monotonic()
        self._desk.hand_in(Record(Kind.SCRIPT, Outcome.SKIPPED, 0, number, 0, 0, scheduled, now))

    @property
    def _step(self) -> int:
        return self._assignment.workers

    def _loop_time(self, after: float) -> float:
        loop = asyncio.get_running_loop()
        return loop.time() + self._assignment.starts_at - monotonic() + after


async def report_while(deed: Callable[[], None], every: float) -> None:
    """Do something again and again until cancelled."""
    while True:
        deed()
        await asyncio.sleep(every)
