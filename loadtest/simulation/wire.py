"""The way between one instance and the store: it takes time, loses answers, and can be cut."""

from __future__ import annotations

from random import Random
from typing import Final

from proxy.shaping.stake import HEARTBEAT, Award, Claim, Stake
from proxy.store.engine import PATIENCE
from proxy.store.share import Share

from .agenda import Agenda
from .engine import SimulatedEngine

LATENCY: Final = 0.001  # seconds each way, on average
LOST: Final = 0.001  # part of all answers
# While nobody is short, a heartbeat changes nothing but its row's date: most are only counted.
QUIET_FOR: Final = 15.0  # seconds, a fraction of the lease


class Store:
    """The one store, and whether it is there."""

    def __init__(self) -> None:
        self.engine = SimulatedEngine(fast=True)
        self.is_away = False
        self.busiest = 0  # calls in one second
        self.spared = 0.0  # calls that were not made, because they would have changed nothing
        self.quiet: dict[Wire, None] = {}  # who makes none
        self._second = 0
        self._calls = 0

    def settle(self, now: float, key: str, words: list[str | float], need: int) -> Award | None:
        """Answer as Redis would; None: there is no answer."""
        if self.is_away:
            return None
        second = int(now)
        self._calls = self._calls + 1 if second == self._second else 1
        self._second = second
        self.busiest = max(self.busiest, self._calls)
        (row,) = self.engine.settle(now, [key], words)
        award = Award(*row)
        if award.short or award.own < need:
            for wire in self.quiet:
                wire.wake()
            self.quiet.clear()
        return award if award.own >= 0 else None

    @property
    def calls(self) -> float:
        """How often it was called, or would have been."""
        return self.engine.calls + self.spared


class Wire:
    """Talks for one instance, in the manner of proxy/store/shared.py, on simulated time."""

    def __init__(
        self, name: str, agenda: Agenda, store: Store, chance: Random, stake: Stake, lease: float
    ) -> None:
        self._name = name
        self._agenda = agenda
        self._store = store
        self._chance = chance
        self._lease = lease
        self._serial = 0
        self._busy = False
        self._slept_at = agenda.now
        self._turn = 0  # of the timer: an older one that fires means nothing
        self.is_cut = False
        self.is_over = False
        self.recovery = 0.0
        self.share = Share("{simulation}:slots", stake, self, hold=0.0)

    def begin(self, share: Share) -> None:
        """Call for the first time."""
        self._call()

    def drop(self, share: Share) -> None:
        """An instance has one share for as long as it lives."""

    def ask(self, share: Share) -> None:
        """Call soon, if that may bring more."""
        if not self._busy and self.share.stake.has_risen(self.share.wish()):
            self._busy = True  # the call itself is made when whoever asks is through
            self._agenda.after(0.0, self._call)

    def _call(self) -> None:
        if self.is_over:
            return
        self._busy = True
        now = self._agenda.now
        self._store.quiet.pop(self, None)
        self._store.spared += max(0.0, now - self._slept_at - HEARTBEAT) / HEARTBEAT
        claim = self.share.stake.claim(self.share.wish(), now)
        self._serial += 1
        milliseconds = [
            round(each * 1000) for each in (self._lease, self.recovery, self.share.hold)
        ]
        words: list[str | float] = [self._name, self._serial, *milliseconds]
        words += [claim.limit, claim.used, claim.keep, claim.need, claim.weight]
        way = self._chance.expovariate(1 / LATENCY)
        if self.is_cut:
            self._agenda.after(PATIENCE, self._failed)
        else:
            self._agenda.after(way, lambda: self._arrive(words, claim, now))

    def _arrive(self, words: list[str | float], claim: Claim, asked_at: float) -> None:
        award = self._store.settle(self._agenda.now, self.share.key, words, claim.need)
        if award is None or self._chance.random() < LOST:
            self._agenda.after(PATIENCE, self._failed)
            return
        way = self._chance.expovariate(1 / LATENCY)
        self._agenda.after(way, lambda: self._answered(award, claim, asked_at))

    def _answered(self, award: Award, claim: Claim, asked_at: float) -> None:
        if not self.is_over:
            self.share.stake.awarded(award, claim, asked_at)
            self._rest()

    def _failed(self) -> None:
        if not self.is_over:
            self.share.stake.lost()
            self._rest()

    def _rest(self) -> None:
        self._busy = False
        self.share.hear()
        if self._busy:
            return  # the news made somebody ask
        self._slept_at, pace = self._agenda.now, self.share.stake.pace(self._agenda.now)
        if pace == HEARTBEAT and not self.share.stake.is_contended:
            self._store.quiet[self] = None
            pace = QUIET_FOR
        self._beat_after(pace)

    def wake(self) -> None:
        """Somebody is short: give the heartbeats that are due, at any moment of a second."""
        self._beat_after(self._chance.uniform(0.0, HEARTBEAT))

    def _beat_after(self, pause: float) -> None:
        self._turn += 1
        turn = self._turn
        self._agenda.after(pause, lambda: self._beat(turn))

    def _beat(self, turn: int) -> None:
        if turn == self._turn and not self._busy:
            self._call()
