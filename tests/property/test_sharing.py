"""Never one too many, whatever becomes of instances, messages and the store.

Real stakes and the real script; connections are numbers. A lease that is over cuts what it held,
as with `on_partition: abort`, and the recovery is as long as a lease and a hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from loadtest.simulation.engine import SimulatedEngine
from proxy.shaping.stake import Award, Claim, OnStoreDown, Stake, Terms, Wish

LEASE = 10.0
HOLD = 5.0
LIMIT = 12
INSTANCES = 4
KEYS = ("slots",)

WHO = st.integers(0, INSTANCES - 1)
FATES = st.sampled_from(["answered", "answered", "answered", "answer lost", "late", "lost"])


@dataclass
class Instance:
    """One proxy: what it has open and cooling, and what it believes."""

    name: str
    stake: Stake
    open: int = 0
    cooling: list[float] = field(default_factory=list)
    wanted: int = 0
    serial: int = 0

    def used(self, now: float) -> int:
        self.cooling = [until for until in self.cooling if until > now]
        return self.open + len(self.cooling)

    def close(self, count: int, now: float) -> None:
        self.open -= count
        self.cooling += [now + HOLD] * count


class Sharing(RuleBasedStateMachine):
    @initialize(floor=st.sampled_from([0, 0, 1, 2]))
    def begin(self, floor: int) -> None:
        self.now = 1000.0
        self.engine = SimulatedEngine()
        self.floor = floor
        self.late: list[Callable[[], object]] = []  # calls still on their way
        self.born = 0
        self.instances = [self.instance() for _ in range(INSTANCES)]
        self.work(0, LIMIT // 2)  # from now on the store recovers from being new
        self.now += LEASE + HOLD

    def instance(self) -> Instance:
        self.born += 1
        terms = Terms(LEASE, OnStoreDown.LOCAL_SHARE)
        return Instance(f"i{self.born}", Stake(terms, floor=self.floor, instances=INSTANCES))

    @rule(who=WHO, wanted=st.integers(0, LIMIT))
    def work(self, who: int, wanted: int) -> None:
        self.instances[who].wanted = wanted
        self.talk(who, "answered")
        self.begin_as_many_as_allowed(who, wanted)

    @rule(who=WHO, fate=FATES)
    def talk(self, who: int, fate: str) -> None:
        one = self.instances[who]
        used = one.used(self.now)
        claim = one.stake.claim(Wish(LIMIT, used, used + one.wanted), self.now)
        one.serial += 1
        asked_at, arguments = self.now, self.arguments(one, claim)
        if fate == "lost":
            one.stake.lost()
        elif fate == "late":
            self.late.append(lambda: self.engine.settle(self.now, KEYS, arguments))
            one.stake.lost()
        else:
            (row,) = self.engine.settle(self.now, KEYS, arguments)
            if fate == "answered" and row[0] >= 0:
                one.stake.awarded(Award(*row), claim, asked_at)
            else:
                one.stake.lost()

    def arguments(self, one: Instance, claim: Claim) -> list[str | float]:
        recovery = round((LEASE + HOLD) * 1000)
        return [
            *(one.name, one.serial, round(LEASE * 1000), recovery, round(HOLD * 1000)),
            *(claim.limit, claim.used, claim.keep, claim.need, claim.weight),
        ]

    @rule()
    def a_late_call_arrives(self) -> None:
        if self.late:
            self.late.pop(0)()

    @rule(who=WHO, count=st.integers(1, LIMIT))
    def begin_as_many_as_allowed(self, who: int, count: int) -> None:
        one = self.instances[who]
        for _ in range(count):
            if one.used(self.now) < one.stake.allowed(self.now):
                one.open += 1

    @rule(who=WHO, count=st.integers(1, LIMIT))
    def end(self, who: int, count: int) -> None:
        one = self.instances[who]
        one.close(min(count, one.open), self.now)

    @rule(seconds=st.sampled_from([0.1, 0.1, 1.0, 1.0, 3.0, HOLD, LEASE, LEASE + HOLD]))
    def pass_time(self, seconds: float) -> None:
        for one in self.instances:
            over = one.stake.valid_until
            if over <= self.now + seconds and one.open > self.floor:
                one.close(one.open - self.floor, max(over, self.now))
        self.now += seconds

    @rule(who=WHO)
    def crash_and_come_back(self, who: int) -> None:
        """The state file remembers what was open; it cools from now on."""
        dead = self.instances[who]
        dead.close(dead.open, self.now)
        self.instances[who] = self.instance()
        self.instances[who].cooling = dead.cooling

    @rule()
    def the_store_saves_a_copy(self) -> None:
        self.engine.save()

    @rule()
    def the_store_restarts_with_its_copy(self) -> None:
        self.engine.restart()

    @rule()
    def the_store_is_flushed(self) -> None:
        self.engine.flush()

    @rule(who=WHO)
    def a_stranger_writes_over_a_row(self, who: int) -> None:
        self.engine.write(KEYS[0], self.instances[who].name, "a stranger's words")

    @invariant()
    def the_limit_is_kept(self) -> None:
        assert sum(one.used(self.now) for one in self.instances) <= LIMIT


TestSharing = Sharing.TestCase
TestSharing.settings = settings(max_examples=150, stateful_step_count=60)


def test_after_all_mishaps_everything_is_used_again() -> None:
    """What was lost comes back: the laws above could be kept by never granting anything."""
    world = Sharing()
    world.begin(0)
    for who in range(INSTANCES):
        world.work(who, LIMIT)
        world.talk(who, "answer lost")
    world.the_store_is_flushed()
    for _ in range(60):
        for who in range(INSTANCES):
            world.end(who, 1)
            world.work(who, LIMIT)
        world.pass_time(1.0)
    used = [one.used(world.now) for one in world.instances]
    assert used == [LIMIT // INSTANCES] * INSTANCES
