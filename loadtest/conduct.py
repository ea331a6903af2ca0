"""One scenario from beginning to end: per target a fresh server, the proxy, the crowd, evidence.

Draws no conclusion (measure.py does) and shows nothing itself: whoever started it is told the news.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any, TypeAlias

from .children import Child, ChildFailed
from .cost import cost_of
from .grounds import lay_out, wrong_uploads
from .layout import members
from .proxied import Ftpweir, answers
from .record import read_records
from .scenario import Scenario
from .servers.choice import Ground, ground_for
from .sighting import ProxyCost, Sighting

SAMPLE_EVERY = 0.25
HEAD_START = 0.5  # for workers to be there before the first script starts

Beside: TypeAlias = Callable[[Ftpweir], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Plan:
    """A scenario and its text, which is what the workers are given."""

    scenario: Scenario
    text: str
    module: str = "proxy"  # started as ftpweir
    beside: Beside | None = None  # runs beside the scripts where ftpweir is the target


@dataclass(frozen=True, slots=True)
class News:
    """How far it is."""

    target: str
    elapsed: float
    deeds: int
    failed: int
    planned: int
    counted: int | None  # by the firewall, now
    most: int | None
    sessions: int | None


class Conductor:
    """Runs a plan. `cut` ends it early, in order, with what has been seen."""

    def __init__(self, plan: Plan, tell: Callable[[News], None]) -> None:
        self._plan = plan
        self._tell = tell
        self._cut = asyncio.Event()

    def cut(self) -> None:
        """End the run early."""
        self._cut.set()

    async def run(self) -> list[Sighting]:
        """Return one sighting per target that was begun."""
        sightings: list[Sighting] = []
        with TemporaryDirectory(prefix="ftpweir-loadtest-") as name:
            for target in self._plan.scenario.targets:
                if not self._cut.is_set():
                    folder = _folder_for(Path(name), target)
                    sightings.append(await self._one(target, folder))
        return sightings

    async def _one(self, target: str, folder: Path) -> Sighting:
        scenario = self._plan.scenario
        files = folder / "files"
        await asyncio.to_thread(lay_out, files, members(scenario.scripts))
        try:
            # Namespaces take a moment, and the bar must go on moving.
            ground = await asyncio.to_thread(ground_for, scenario, files, folder)
        except ChildFailed as failure:
            return Sighting(target, monotonic(), is_partial=True, notes=[str(failure)])
        with ground:
            performance = _Performance(self._plan, target, folder, ground, self._tell)
            return await performance.run(self._cut)


def _folder_for(parent: Path, target: str) -> Path:
    folder = parent / target.replace(":", "_")
    folder.mkdir()
    for path in (parent, folder):
        path.chmod(0o755)  # real servers run as somebody else
    return folder


class _Performance:
    """One target's run."""

    def __init__(
        self,
        plan: Plan,
        target: str,
        folder: Path,
        ground: Ground,
        tell: Callable[[News], None],
    ) -> None:
        self._plan = plan
        self._scenario = plan.scenario
        self._folder = folder
        self._tell = tell
        self._places = members(plan.scenario.scripts)
        self._sighting = Sighting(target, monotonic())
        self._files = folder / "files"
        self._ground = ground
        self._proxy: Ftpweir | None = None
        self._probe: Child | None = None
        self._workers: list[Child] = []

    async def run(self, cut: asyncio.Event) -> Sighting:
        """Do it all, and leave nothing running."""
        sighting = self._sighting
        try:
            await self._begin()
            await self._perform(cut)
        except ChildFailed as failure:
            sighting.is_partial = True
            sighting.notes.append(str(failure))
        finally:
            await self._end()
        await asyncio.to_thread(self._collect)
        return sighting

    async def _begin(self) -> None:
        server = self._ground.server
        await server.start()
        place = (server.host, server.port)
        target = self._sighting.target
        if target == "ftpweir":
            before = self._ground.before_clients
            self._proxy = Ftpweir(self._scenario, self._folder, before, self._plan.module)
            await self._proxy.start(place)
            place = (self._proxy.host, self._proxy.port)
            self._sighting.proxy = ProxyCost()
            self._probe = Child.module(
                "the probe",
                "loadtest.probe",
                self._folder / "probe.log",
                *map(str, place),
                before=self._ground.before_clients,
            )
            await self._probe.start()
        elif target != "direct":
            host, _, port = target.rpartition(":")
            place = (host.strip("[]"), int(port))
            await answers(*place)
        await self._start_workers(*place)

    async def _start_workers(self, host: str, port: int) -> None:
        many = self._scenario.load.processes
        starts_at = monotonic() + HEAD_START * (1 + many / 2)
        self._sighting.began = starts_at
        for number in range(many):
            worker = Child.module(
                f"worker {number}",
                "loadtest.scripts.worker",
                self._folder / f"worker-{number}.log",
                before=self._ground.before_clients,
            )
            self._workers.append(worker)
            await worker.start(
                {
                    "scenario": self._plan.text,
                    "rows": str(self._folder / f"worker-{number}.rows"),
                    "host": host,
                    "port": port,
                    "tells_sources_apart": self._sighting.target != "direct"
                    and host.startswith("127."),
                    "worker": number,
                    "workers": many,
                    "starts_at": starts_at,
                }
            )

    async def _perform(self, cut: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            beside = [
                tasks.create_task(self._ground.server.listen()),
                tasks.create_task(self._watch()),
                tasks.create_task(self._obey(cut)),
            ]
            if self._proxy is not None:
                beside.append(tasks.create_task(self._mourn(self._proxy)))
                if self._plan.beside is not None:
                    beside.append(tasks.create_task(self._plan.beside(self._proxy)))
            listeners = [tasks.create_task(worker.listen()) for worker in self._workers]
            await asyncio.wait(listeners)
            self._sighting.seconds = max(0.0, monotonic() - self._sighting.began)
            for worker in self._workers:
                if await worker.wait() != 0:
                    self._sighting.is_partial = True
                    self._sighting.notes.append(f"{worker.name} failed: {worker.complaints()}")
            # Let the server see the last goodbyes before it is asked what it saw.
            await asyncio.sleep(0.3)
            for task in beside:
                task.cancel()

    async def _obey(self, cut: asyncio.Event) -> None:
        await cut.wait()
        self._sighting.is_partial = True
        for worker in self._workers:
            worker.cut()

    async def _mourn(self, proxy: Ftpweir) -> None:
        """Cut the run when the proxy dies: nothing after that says anything."""
        try:
            await proxy.serve()
        except ChildFailed as failure:
            self._sighting.is_partial = True
            self._sighting.notes.append(str(failure))
            for worker in self._workers:
                worker.cut()

    async def _watch(self) -> None:
        while True:
            self._sample_proxy()
            self._tell(self._news())
            await asyncio.sleep(SAMPLE_EVERY)

    def _sample_proxy(self) -> None:
        seen = self._sighting.proxy
        if seen is None or self._proxy is None or self._proxy.child is None:
            return
        cost = cost_of(self._proxy.child.pid)
        if cost is not None:
            seen.history.append((monotonic(), cost.cpu, cost.memory))
            seen.memory_most = max(seen.memory_most, cost.memory_most)
            seen.cpu = cost.cpu - seen.history[0][1]

    def _news(self) -> News:
        last = [worker.last for worker in self._workers]
        live = self._ground.server.live
        return News(
            self._sighting.target,
            monotonic() - self._sighting.began,
            sum(tally.get("deeds", 0) for tally in last),
            sum(tally.get("failed", 0) for tally in last),
            sum(member.deeds for member in self._places),
            live.get("counted"),
            live.get("most"),
            live.get("sessions"),
        )

    async def _end(self) -> None:
        for worker in self._workers:
            await worker.stop()
        self._sample_proxy()
        if self._probe is not None:
            await self._stop_probe(self._probe)
        if self._proxy is not None:
            await self._proxy.stop()
        costs = [cost for pid in self._ground.server.pids if (cost := cost_of(pid)) is not None]
        self._sighting.server_cpu = sum(cost.cpu for cost in costs)
        self._sighting.evidence = await self._ground.stop()

    async def _stop_probe(self, probe: Child) -> None:
        probe.cut()
        await probe.listen()
        await probe.stop()
        if self._sighting.proxy is not None:
            self._sighting.proxy.waits = probe.last.get("waits", [])

    def _collect(self) -> None:
        sighting = self._sighting
        reasons: Counter[str] = Counter()
        for worker in self._workers:
            tally: dict[str, Any] = worker.last
            reasons.update(tally.get("reasons", {}))
            sighting.corrupt += tally.get("spots", [])
            sighting.strangers += tally.get("strangers", [])
        sighting.reasons = dict(reasons.most_common())
        sighting.records = read_records(self._folder)
        if self._scenario.server.is_ours:
            sighting.corrupt += wrong_uploads(self._files, self._places, sighting.records)
