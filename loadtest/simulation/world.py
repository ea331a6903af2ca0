"""A simulated day: sources with their scripts, proxies, one store, one firewall, and mishaps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Final

from proxy.shaping.stake import OnStoreDown, Stake, Terms
from proxy.store.budget import SLACK

from .agenda import Agenda
from .firewall import Firewall
from .instance import GUARD, File, Instance
from .wire import Store, Wire

HOUR: Final = 3600.0
BATCH: Final = 20  # files, fetched by two scripts of one source
SCRIPTS: Final = 2
ON_THE_HOUR: Final = 0.3  # part of all batches that cron starts together
SHORT, LONG, LONG_PART = 1.0, 30.0, 0.05  # mean seconds of a transfer; some are long
BACK_AFTER: Final = 5.0  # seconds until a crashed proxy is there again, and a script tries again
HOG: Final = "hog"
HOG_SCRIPTS: Final = 50
SMALL_EACH, SMALL_FILES = 20.0, 3  # seconds until the next small source comes beside a hog
AWAY_FOR: Final = 10.0  # seconds until the store is there again
SETTLED: Final = 2.0  # seconds after a mishap until all have called the store again


@dataclass(frozen=True, slots=True)
class Plan:
    """What is simulated. Times are seconds."""

    proxies: int = 100
    sources: int = 10_000
    files_a_day: int = 1_000_000
    limit: int = 2000
    hold: float = 120.0
    lease: float = 60.0
    recovery: float = 30.0
    hours: float = 1.0
    mishaps: bool = True
    hog_files: int = 5000  # that one source wants at once, each half hour after the hour
    seed: int = 1

    @property
    def mean_duration(self) -> float:
        """How long a transfer lasts on average."""
        return (1 - LONG_PART) * SHORT + LONG_PART * LONG


@dataclass
class Told:
    """What was seen."""

    files: int = 0
    broken: int = 0
    cron_batches: list[float] = field(
        default_factory=list
    )  # seconds from the hour to the last file
    by_proxy: defaultdict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    # What others wait while a hog is there: at its proxy (in a mishap of that apart), elsewhere.
    beside_hog: list[float] = field(default_factory=list)
    away_from_hog: list[float] = field(default_factory=list)
    beside_hog_in_mishaps: list[float] = field(default_factory=list)
    contended: int = 0  # seconds in which somebody waited
    used_then: int = 0  # sum of slots used in these
    started_then: int = 0
    crashes: int = 0
    cuts: int = 0
    restarts: int = 0

    @property
    def waits(self) -> list[float]:
        """What all files have waited."""
        return [wait for waits in self.by_proxy.values() for wait in waits]


class World:
    """Everything, and the time."""

    def __init__(self, plan: Plan, each_hour: Callable[[World], None] = lambda world: None) -> None:
        self.plan = plan
        self._each_hour = each_hour
        self.told = Told()
        self.chance = Random(plan.seed)
        self.agenda = Agenda()
        self.firewall = Firewall(plan.limit, plan.hold)
        self.store = Store()
        self._born = 0
        self.instances: list[Instance | None] = [self._instance(at) for at in range(plan.proxies)]
        self._hog_at = -1
        self._smalls = 0
        self._amiss_until = [0.0] * plan.proxies
        self._opened_before = 0

    def run(self) -> Told:
        """Let the time pass."""
        plan, begin = self.plan, self.plan.recovery + 10.0
        end = begin + plan.hours * HOUR
        batches = round(plan.files_a_day / BATCH * plan.hours / 24)
        for _ in range(batches):
            source = self.chance.randrange(plan.sources)
            on_the_hour = self.chance.random() < ON_THE_HOUR
            hour = HOUR * self.chance.randrange(max(1, round(plan.hours)))
            moment = hour if on_the_hour else self.chance.uniform(0, plan.hours * HOUR)
            self.agenda.after(begin + moment, partial(self._batch, source, on_the_hour))
        if plan.hog_files:
            moment = begin + HOUR / 2
            while moment < end:
                self.agenda.after(moment, self._hog)
                moment += HOUR
        if plan.mishaps:
            self._plan_mishaps(begin, end)
        self.agenda.after(begin, self._sample)
        self.agenda.after(begin + HOUR, self._strike)
        self.agenda.run_until(end)
        return self.told

    # Scripts.

    def _batch(self, source: int, on_the_hour: bool) -> None:
        proxy = source % self.plan.proxies
        left = [SCRIPTS]
        began = self.agenda.now

        def over() -> None:
            left[0] -= 1
            if not left[0] and on_the_hour:
                self.told.cron_batches.append(self.agenda.now - began)

        for _ in range(SCRIPTS):
            Script(self, f"s{source}", proxy, BATCH // SCRIPTS, over).next()

    def _hog(self) -> None:
        self._hog_at = self.chance.randrange(self.plan.proxies)
        left = [HOG_SCRIPTS]

        def over() -> None:
            left[0] -= 1
            if not left[0]:
                self._hog_at = -1

        for _ in range(HOG_SCRIPTS):
            files = self.plan.hog_files // HOG_SCRIPTS
            Script(self, HOG, self._hog_at, files, over).next()
        self.agenda.after(SMALL_EACH, self._small)

    def _small(self) -> None:
        """Let a source that nobody knows yet fetch a few files at the hog's proxy."""
        if self._hog_at < 0:
            return
        self._smalls += 1
        Script(self, f"small{self._smalls}", self._hog_at, SMALL_FILES, lambda: None).next()
        self.agenda.after(SMALL_EACH, self._small)

    def started(self, file: File, proxy: int) -> None:
        """Note how long a file has waited."""
        waited = self.agenda.now - file.asked_at
        self.told.by_proxy[proxy].append(waited)
        if self._hog_at < 0 or file.source == HOG:
            return
        if proxy != self._hog_at:
            self.told.away_from_hog.append(waited)
        elif file.asked_at < self._amiss_until[proxy]:
            self.told.beside_hog_in_mishaps.append(waited)
        else:
            self.told.beside_hog.append(waited)

    def duration(self) -> float:
        """Draw how long a transfer lasts."""
        mean = LONG if self.chance.random() < LONG_PART else SHORT
        return self.chance.expovariate(1 / mean)

    # Mishaps.

    def _plan_mishaps(self, begin: float, end: float) -> None:
        for deed, each in ((self._crash, 1200.0), (self._cut, 1000.0), (self._restart, 3000.0)):
            moment = begin + each / 2
            while moment < end:
                self.agenda.after(moment, deed)
                moment += each

    def _crash(self) -> None:
        at = self.chance.randrange(self.plan.proxies)
        instance = self.instances[at]
        if instance is None:
            return
        self.told.crashes += 1
        # What it owned is nobody's for so long.
        self._is_amiss([at], self.plan.lease + self.plan.hold + GUARD + SLACK)
        self.instances[at] = None
        instance.crash()
        self.agenda.after(BACK_AFTER, partial(self._come_back, at))

    def _come_back(self, at: int) -> None:
        self.instances[at] = self._instance(at)

    def _cut(self) -> None:
        at = self.chance.randrange(self.plan.proxies)
        instance = self.instances[at]
        if instance is None:
            return
        self.told.cuts += 1
        duration = self.plan.lease / 2
        self._is_amiss([at], duration)
        instance.wire.is_cut = True
        self.agenda.after(duration, partial(setattr, instance.wire, "is_cut", False))

    def _restart(self) -> None:
        self.told.restarts += 1
        self._is_amiss(range(self.plan.proxies), AWAY_FOR + self.plan.recovery)
        self.store.is_away = True
        self.store.engine.restart()
        self.agenda.after(AWAY_FOR, partial(setattr, self.store, "is_away", False))

    def _is_amiss(self, proxies: Iterable[int], seconds: float) -> None:
        until = self.agenda.now + seconds + SETTLED
        for at in proxies:
            self._amiss_until[at] = max(self._amiss_until[at], until)

    def _instance(self, at: int) -> Instance:
        self._born += 1
        plan = self.plan
        stake = Stake(Terms(plan.lease, OnStoreDown.LOCAL_SHARE))
        wire = Wire(f"i{self._born}", self.agenda, self.store, self.chance, stake, plan.lease)
        wire.recovery = plan.recovery
        started = partial(self.started, proxy=at)
        return Instance(self.agenda, self.firewall, wire, started)

    # Looking.

    def _strike(self) -> None:
        self._each_hour(self)
        self.agenda.after(HOUR, self._strike)

    def _sample(self) -> None:
        here = [instance for instance in self.instances if instance is not None]
        opened = self.firewall.opened
        # More than a hand's turn waits: what one or two wait for is a message on its way.
        if sum(len(instance.queue) for instance in here) > self.plan.proxies:
            self.told.contended += 1
            self.told.used_then += self.firewall.count(self.agenda.now)
            self.told.started_then += opened - self._opened_before
        self._opened_before = opened
        self.agenda.after(1.0, self._sample)


class Script:
    """Fetches its files one after the other, and tries again what broke off."""

    def __init__(
        self, world: World, source: str, proxy: int, files: int, over: Callable[[], None]
    ) -> None:
        self._world = world
        self._source = source
        self._proxy = proxy
        self._left = files
        self._over = over

    def next(self) -> None:
        """Ask for a file."""
        world = self._world
        instance = world.instances[self._proxy]
        if instance is None:
            world.agenda.after(BACK_AFTER, self.next)
            return
        asked_at = world.agenda.now
        instance.want(File(self._source, world.duration(), asked_at, self._done))

    def _done(self, complete: bool) -> None:
        world = self._world
        if not complete:
            world.told.broken += 1
            world.agenda.after(BACK_AFTER, self.next)
            return
        world.told.files += 1
        self._left -= 1
        if self._left:
            self.next()
        else:
            self._over()
