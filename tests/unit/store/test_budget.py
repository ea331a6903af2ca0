from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.events import ShadowWait
from proxy.shaping.ban import SILENCES
from proxy.shaping.holds import PROFILES, Ending, explicit
from proxy.shaping.ledger import Kind
from proxy.shaping.tolerance import Enforce, Tolerance
from proxy.store.budget import SHORT
from proxy.store.journal import Journal
from tests.support.purse import HOLD, Purse

ROWS_AT_FIRST = 1024  # of a state file


@contextlib.contextmanager
def no_file_grows() -> Iterator[None]:
    """Let no file of this process grow beyond a few pages: as good as a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROWS_AT_FIRST * 32, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_never_one_more_than_the_limit() -> None:
    purse = Purse(2)
    purse.take()
    purse.take()
    assert purse.budget.reserve(Kind.CONTROL, "") is None
    assert (purse.budget.used, purse.budget.open) == (2, 2)


def test_a_closed_slot_counts_until_its_hold_and_guard_are_over() -> None:
    purse = Purse(1, guard=0.5)
    purse.budget.settle(purse.take(), Ending.FIN)
    assert (purse.budget.used, purse.budget.open) == (1, 0)
    assert purse.budget.next_free() == purse.now + HOLD + 0.5
    purse.now += HOLD
    assert purse.budget.reserve(Kind.CONTROL, "") is None
    purse.now += 0.5
    purse.take()


def test_a_cancelled_slot_is_free_at_once() -> None:
    purse = Purse(1)
    purse.budget.cancel(purse.take())
    assert purse.budget.used == 0
    assert purse.budget.next_free() is None


@pytest.mark.parametrize("kind", [Kind.DOWNLOAD, Kind.UPLOAD, Kind.CONTROL])
@pytest.mark.parametrize("ending", Ending)
def test_each_end_costs_what_the_profile_says(kind: Kind, ending: Ending) -> None:
    holds = PROFILES["csf"]
    purse = Purse(holds=holds)
    purse.budget.settle(purse.take(kind=kind), ending)
    hold = holds.of(kind, ending)
    assert purse.budget.next_free() == (purse.now + hold if hold else None)


def test_only_silence_that_was_waited_for_lets_a_ban_be_suspected() -> None:
    purse = Purse()
    for _ in range(2 * SILENCES):
        purse.budget.settle(purse.take(kind=Kind.DOWNLOAD), Ending.ABANDONED)
        purse.now += HOLD
    assert purse.budget.banned_for == 0.0
    for _ in range(SILENCES):
        purse.budget.settle(purse.take(kind=Kind.DOWNLOAD), Ending.UNANSWERED)
    assert purse.budget.banned_for > 0.0


def test_spare_slots_are_left_alone() -> None:
    purse = Purse(3)
    purse.take()
    assert purse.budget.reserve(Kind.CONTROL, "", spare=2) is None
    assert purse.budget.reserve(Kind.CONTROL, "", spare=1) is not None


def test_who_waits_is_told_of_each_slot_that_comes_back() -> None:
    purse, told = Purse(), []
    purse.budget.serve(lambda: told.append(purse.budget.open), lambda: (0, 1.0))
    first, second = purse.take(), purse.take()
    purse.budget.settle(first, Ending.FIN)
    purse.budget.cancel(second)
    assert told == [1, 0]


def test_one_source_takes_half_of_what_is_free_and_is_then_paced() -> None:
    purse = Purse(100)
    taken = 0
    while purse.budget.reserve(Kind.DOWNLOAD, "hog") is not None:
        taken += 1
    assert 50 <= taken <= 52
    assert purse.budget.held("hog") == taken
    purse.take("small", Kind.DOWNLOAD)
    chance = purse.budget.next_chance(Kind.DOWNLOAD, "hog")
    assert chance is not None
    assert purse.now < chance <= purse.now + 2 * purse.budget.interval
    purse.now = chance
    purse.take("hog", Kind.DOWNLOAD)


def test_slots_that_come_back_soon_need_no_pacing() -> None:
    purse = Purse(10, holds=explicit(SHORT / 2))
    for _ in range(10):
        purse.take("hog", Kind.DOWNLOAD)


def test_the_next_chance_of_a_full_budget_is_its_next_free_slot() -> None:
    purse = Purse(2)
    assert purse.budget.next_chance(Kind.DOWNLOAD, "a") == purse.now
    first, _ = purse.take(), purse.take()
    assert purse.budget.next_chance(Kind.DOWNLOAD, "a") is None
    purse.budget.settle(first, Ending.FIN)
    assert purse.budget.next_chance(Kind.DOWNLOAD, "a") == purse.now + HOLD


def test_the_eta_counts_places_and_spare_slots() -> None:
    purse = Purse(2)
    slots = [purse.take(), purse.take()]
    purse.budget.settle(slots[0], Ending.FIN)
    purse.now += 10
    purse.budget.settle(slots[1], Ending.FIN)
    assert purse.budget.eta(1) == HOLD - 10
    assert purse.budget.eta(2) == purse.budget.eta(1, spare=1) == HOLD


def test_typical_use_is_learned_from_what_was_seen() -> None:
    purse = Purse(10, holds=PROFILES["none"])
    for _ in range(200):
        slot = purse.take(kind=Kind.DOWNLOAD)
        purse.now += 5
        purse.budget.settle(slot, Ending.FIN)
    assert purse.budget.typical == pytest.approx(5.0, abs=0.01)
    assert purse.budget.interval == pytest.approx(0.5, abs=0.001)


def test_shadow_lets_everybody_go_and_tells_who_would_have_waited() -> None:
    purse = Purse(1, enforce=Enforce.SHADOW)
    purse.budget.settle(purse.take("a"), Ending.FIN)
    assert purse.events == []
    purse.take("b", Kind.LISTING)
    assert purse.events == [ShadowWait("b", "listing", HOLD)]
    assert purse.budget.used == 2
    assert not purse.budget.enforced


def test_off_lets_everybody_go_without_a_word() -> None:
    purse = Purse(1, enforce=Enforce.OFF)
    for _ in range(3):
        purse.take()
    assert purse.events == []
    assert purse.budget.used == 3


def test_what_an_earlier_process_left_is_booked_again(tmp_path: Path) -> None:
    state = tmp_path / "state"
    before = Purse(4, journal=Journal(state, now=1000.0))
    before.take()  # still open when that process ends
    before.budget.settle(before.take(), Ending.FIN)
    before.now += 10
    before.budget.cancel(before.take())
    before.budget.close()
    after = Purse(4, journal=Journal(state, now=1010.0), now=1010.0)
    assert after.budget.open == 0
    assert after.budget.used == 2
    after.now = 1000.0 + HOLD
    assert after.budget.used == 1
    after.now = 1010.0 + HOLD
    assert after.budget.used == 0
    after.budget.close()


def test_what_the_state_file_has_no_room_for_waits_as_for_a_full_budget(tmp_path: Path) -> None:
    purse = Purse(9999, holds=explicit(1.0), journal=Journal(tmp_path / "state", now=1000.0))
    first = purse.take()
    with no_file_grows():
        while (slot := purse.budget.reserve(Kind.DOWNLOAD, "")) is not None:
            last = slot
        assert purse.budget.used == ROWS_AT_FIRST
        assert purse.budget.is_held_back(0)
        assert not purse.budget.has_room(0)
        assert purse.budget.next_chance(Kind.DOWNLOAD, "") is None
        purse.budget.settle(first, Ending.FIN)
        assert purse.budget.next_chance(Kind.DOWNLOAD, "") == purse.now + 1.0
        purse.now += 1.0
        assert purse.budget.is_held_back(1)
        assert not purse.budget.is_held_back(0)
        purse.take()
        assert purse.budget.reserve(Kind.CONTROL, "") is None
    purse.take()
    purse.budget.cancel(last)
    purse.budget.close()


def test_shadow_lets_those_go_too_that_the_state_file_has_no_room_for(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "state", now=1000.0)
    purse = Purse(9999, enforce=Enforce.SHADOW, journal=journal)
    with no_file_grows():
        for _ in range(ROWS_AT_FIRST):
            purse.take()
        first, second = purse.take(), purse.take()
    purse.budget.cancel(first)
    purse.budget.settle(second, Ending.FIN)
    assert purse.budget.used == ROWS_AT_FIRST + 1
    purse.budget.close()
    after = Journal(tmp_path / "state", now=1000.0)
    assert len(after.remembered or ()) == ROWS_AT_FIRST
    after.close()


def test_a_state_file_that_cannot_be_believed_counts_as_a_full_budget(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.write_bytes(b"something else entirely")
    purse = Purse(3, journal=Journal(state, now=1000.0))
    assert purse.budget.used == 3
    purse.now += purse.budget.longest_hold
    assert purse.budget.used == 0
    purse.budget.close()


def test_a_smaller_limit_is_reached_by_attrition() -> None:
    purse = Purse(3)
    slots = [purse.take() for _ in range(3)]
    purse.budget.adopt(Tolerance(1, explicit(0.0)))
    assert (purse.budget.limit, purse.budget.used) == (1, 3)
    for slot in slots:
        assert purse.budget.reserve(Kind.CONTROL, "") is None
        purse.budget.settle(slot, Ending.FIN)
    purse.take()


def test_what_cools_keeps_its_hold_and_the_next_end_costs_the_new_one() -> None:
    purse = Purse(4, guard=0.0)
    purse.budget.settle(purse.take(), Ending.FIN)
    purse.budget.adopt(Tolerance(4, explicit(10.0), 1.0))
    assert purse.budget.longest_hold == 11.0
    purse.budget.settle(purse.take(), Ending.FIN)
    purse.now += 11.0
    assert purse.budget.used == 1
    purse.now += HOLD - 11.0
    assert purse.budget.used == 0


def test_a_budget_that_is_no_longer_enforced_lets_everybody_go() -> None:
    purse = Purse(1)
    purse.take()
    purse.budget.adopt(Tolerance(1, explicit(HOLD), 0.0, Enforce.OFF))
    purse.take()
    assert purse.budget.used == 2
