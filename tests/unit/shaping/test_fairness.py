"""The parts of the room at work together: a hog and small scripts before one budget, simulated.

A hog queues 4,000 files at once; five sources with five files each come 5 s and 700 s later.
Every transfer lasts a second and cools for 240 s. Time is a number: nothing here waits.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import count

from proxy.shaping.burst import Burst
from proxy.shaping.fairqueue import FairQueue
from proxy.shaping.ledger import Kind, Ledger, Slot

BUDGET = 400
HOLD = 240.0
LASTS = 1.0
PACE = (LASTS + HOLD) / BUDGET

SMALL = 5
HOG_FILES = 4000


@dataclass(frozen=True, slots=True)
class File:
    """One transfer that somebody wants."""

    source: str
    arrived: float


@dataclass(slots=True)
class Weir:
    """The policy under test, driven by a list of events instead of a clock."""

    is_fair: bool
    burst: Burst | None
    ledger: Ledger = field(default_factory=lambda: Ledger(BUDGET))
    queue: FairQueue[File] = field(default_factory=FairQueue)
    starts: list[tuple[File, float]] = field(default_factory=list)
    peak: int = 0
    events: list[tuple[float, int, File | Slot | None]] = field(default_factory=list)
    order: count[int] = field(default_factory=count)

    def at(self, when: float, what: File | Slot | None) -> None:
        heapq.heappush(self.events, (when, next(self.order), what))

    def run(self) -> None:
        while self.events:
            now = self.events[0][0]
            while self.events and self.events[0][0] == now:
                self.happen(heapq.heappop(self.events)[2], now)
            wakes = self.dispatch(now)
            if wakes and not (self.events and self.events[0][0] <= min(wakes)):
                self.at(min(wakes), None)

    def happen(self, what: File | Slot | None, now: float) -> None:
        match what:
            case File():
                line = what.source if self.is_fair else "everyone"
                self.queue.push(what, line, 1.0, now)
            case Slot():
                self.ledger.close(what, now, HOLD)
            case None:
                pass

    def dispatch(self, now: float) -> list[float]:
        """Start whatever may start; return the instants at which to look again."""
        wakes = self.start_one(now)
        while wakes is None:
            wakes = self.start_one(now)
        free = self.ledger.next_free(now)
        return wakes if free is None or not self.queue else [*wakes, free]

    def start_one(self, now: float) -> list[float] | None:
        """Give the first turn that can be given. None means one was given."""
        paced = []
        for ticket in self.queue.heads():
            source = ticket.item.source
            held, used = self.ledger.held(source, now), self.ledger.used(now)
            wait = self.burst.wait(held, used, BUDGET, now) if self.burst else 0.0
            if wait > 0.0:
                paced.append(now + wait)
                continue
            slot = self.ledger.reserve(Kind.DOWNLOAD, source, now)
            if slot is None:
                break
            if self.burst:
                self.burst.took(held, used, BUDGET, now, PACE)
            self.queue.serve(ticket)
            self.starts.append((ticket.item, now))
            self.peak = max(self.peak, self.ledger.used(now))
            self.at(now + LASTS, slot)
            return None
        return paced

    def waits(self, arrived: float) -> list[float]:
        """Tell how long the small files that came at an instant waited, the shortest first."""
        small = [(file, at) for file, at in self.starts if file.source != "hog"]
        return sorted(at - file.arrived for file, at in small if file.arrived == arrived)


def hog_and_small(*, is_fair: bool, burst: Burst | None) -> Weir:
    weir = Weir(is_fair, burst)
    for _ in range(HOG_FILES):
        weir.at(0.0, File("hog", 0.0))
    for arrived in (5.0, 700.0):
        for source in range(SMALL):
            for _ in range(SMALL):
                weir.at(arrived, File(f"small{source}", arrived))
    weir.run()
    assert len(weir.starts) == HOG_FILES + 2 * SMALL * SMALL
    return weir


def lone_batch(files: int) -> Weir:
    weir = Weir(is_fair=True, burst=Burst())
    for _ in range(files):
        weir.at(0.0, File("alone", 0.0))
    weir.run()
    return weir


def test_first_come_first_served_starves_the_small_scripts() -> None:
    weir = hog_and_small(is_fair=False, burst=None)
    assert weir.waits(5.0)[0] > 2000.0
    assert weir.waits(700.0)[0] > 1500.0
    assert weir.peak == BUDGET


def test_fair_turns_alone_come_too_late_for_a_budget_that_a_hog_has_filled() -> None:
    weir = hog_and_small(is_fair=True, burst=None)
    assert 200.0 < weir.waits(5.0)[0] < HOLD
    assert weir.peak == BUDGET


def test_fair_turns_and_the_moving_threshold_serve_the_small_scripts_at_once() -> None:
    weir = hog_and_small(is_fair=True, burst=Burst(alpha=1.0))
    assert weir.waits(5.0)[-1] == 0.0
    late = weir.waits(700.0)
    assert late[len(late) // 2] == 0.0
    assert late[-1] < 5.0
    assert weir.peak <= BUDGET


def test_the_hog_loses_next_to_nothing_by_being_fair() -> None:
    greedy = hog_and_small(is_fair=False, burst=None)
    fair = hog_and_small(is_fair=True, burst=Burst(alpha=1.0))
    assert fair.starts[-1][1] < 1.05 * greedy.starts[-1][1]


def test_a_batch_that_is_alone_and_below_half_of_the_budget_starts_at_once() -> None:
    assert lone_batch(150).starts[-1][1] == 0.0


def test_a_batch_above_half_of_the_budget_goes_on_at_the_steady_pace() -> None:
    last = lone_batch(300).starts[-1][1]
    assert 0.95 * 100 * PACE < last <= 100 * PACE
