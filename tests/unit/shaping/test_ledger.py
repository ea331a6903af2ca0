"""The ledger's rules one by one; their sum is in tests/property/test_ledger.py."""

from __future__ import annotations

import pytest

from proxy.shaping.ledger import Kind, Ledger, Slot


def fill(ledger: Ledger, slots: int, now: float, source: str = "a") -> list[Slot]:
    return [ledger.force(Kind.DOWNLOAD, source, now) for _ in range(slots)]


def test_a_slot_is_taken_only_while_fewer_than_the_limit_are_used() -> None:
    ledger = Ledger(2)
    assert ledger.reserve(Kind.DOWNLOAD, "a", 0.0) is not None
    assert ledger.reserve(Kind.LISTING, "b", 0.0) is not None
    assert ledger.reserve(Kind.DOWNLOAD, "a", 0.0) is None
    assert ledger.used(0.0) == 2


def test_a_slot_remembers_what_it_is_for() -> None:
    slot = Ledger(1).reserve(Kind.UPLOAD, "10.0.0.1", 7.0)
    assert slot is not None
    assert (slot.kind, slot.source, slot.since) == (Kind.UPLOAD, "10.0.0.1", 7.0)


def test_two_slots_with_the_same_contents_are_not_equal() -> None:
    assert Slot(1, Kind.CONTROL, "a", 0.0) != Slot(1, Kind.CONTROL, "a", 0.0)


def test_spare_slots_are_left_for_others() -> None:
    ledger = Ledger(3)
    fill(ledger, 1, 0.0)
    assert ledger.reserve(Kind.DOWNLOAD, "a", 0.0, spare=2) is None
    assert ledger.reserve(Kind.DOWNLOAD, "a", 0.0, spare=1) is not None


def test_a_closed_slot_counts_until_its_hold_is_over() -> None:
    ledger = Ledger(1)
    (slot,) = fill(ledger, 1, 0.0)
    ledger.close(slot, 10.0, 240.0)
    assert (ledger.open, ledger.cooling(249.5), ledger.used(249.5)) == (0, 1, 1)
    assert ledger.reserve(Kind.DOWNLOAD, "a", 249.5) is None


def test_a_slot_whose_hold_ends_now_is_free() -> None:
    ledger = Ledger(1)
    (slot,) = fill(ledger, 1, 0.0)
    ledger.close(slot, 10.0, 240.0)
    assert ledger.reserve(Kind.DOWNLOAD, "a", 250.0) is not None


def test_a_slot_without_a_hold_is_free_at_once() -> None:
    ledger = Ledger(1)
    (slot,) = fill(ledger, 1, 0.0)
    ledger.close(slot, 1.0, 0.0)
    assert ledger.used(1.0) == 0
    assert ledger.held("a", 1.0) == 0


def test_a_slot_with_a_short_hold_overtakes_one_with_a_long_hold() -> None:
    ledger = Ledger(2)
    long, short = fill(ledger, 2, 0.0)
    ledger.close(long, 0.0, 240.0)
    ledger.close(short, 1.0, 10.0)
    assert ledger.next_free(1.0) == 11.0
    assert ledger.cooling(11.0) == 1
    assert ledger.next_free(11.0) == 240.0


def test_nothing_cools_in_a_ledger_of_open_slots() -> None:
    ledger = Ledger(2)
    fill(ledger, 2, 0.0)
    assert ledger.next_free(0.0) is None


def test_a_cancelled_slot_is_free_at_once() -> None:
    ledger = Ledger(1)
    (slot,) = fill(ledger, 1, 0.0)
    ledger.cancel(slot)
    assert (ledger.used(0.0), ledger.held("a", 0.0)) == (0, 0)


def test_a_slot_cannot_be_closed_twice() -> None:
    ledger = Ledger(1)
    (slot,) = fill(ledger, 1, 0.0)
    ledger.close(slot, 0.0, 1.0)
    with pytest.raises(ValueError, match="not open"):
        ledger.close(slot, 0.0, 1.0)


def test_a_closed_slot_cannot_be_cancelled() -> None:
    ledger = Ledger(1)
    (slot,) = fill(ledger, 1, 0.0)
    ledger.close(slot, 0.0, 1.0)
    with pytest.raises(ValueError, match="not open"):
        ledger.cancel(slot)


def test_a_slot_of_another_ledger_cannot_be_closed() -> None:
    ledger, other = Ledger(1), Ledger(1)
    fill(ledger, 1, 0.0)
    (foreign,) = fill(other, 1, 0.0)
    with pytest.raises(ValueError, match="not open"):
        ledger.close(foreign, 0.0, 1.0)


def test_a_source_holds_its_open_and_its_cooling_slots() -> None:
    ledger = Ledger(9)
    mine, _ = fill(ledger, 2, 0.0, "a")
    fill(ledger, 1, 0.0, "b")
    ledger.close(mine, 0.0, 5.0)
    assert (ledger.held("a", 4.0), ledger.held("b", 4.0), ledger.held("c", 4.0)) == (2, 1, 0)
    assert ledger.held("a", 5.0) == 1


def test_a_forced_slot_may_exceed_the_limit() -> None:
    ledger = Ledger(1)
    fill(ledger, 3, 0.0)
    assert ledger.used(0.0) == 3
    assert ledger.reserve(Kind.DOWNLOAD, "a", 0.0) is None


def test_a_ledger_that_is_only_written_to_forgets_what_has_expired() -> None:
    ledger = Ledger(1)
    for second in range(100):
        (slot,) = fill(ledger, 1, float(second))
        ledger.close(slot, float(second), 5.0)
    assert len(ledger._cooling) == 5


def test_a_lower_limit_ends_nothing_and_admits_nobody_until_enough_have_gone() -> None:
    ledger = Ledger(3)
    slots = fill(ledger, 3, 0.0)
    ledger.resize(2)
    assert (ledger.limit, ledger.used(0.0)) == (2, 3)
    ledger.cancel(slots[0])
    assert ledger.reserve(Kind.DOWNLOAD, "a", 0.0) is None
    ledger.cancel(slots[1])
    assert ledger.reserve(Kind.DOWNLOAD, "a", 0.0) is not None


@pytest.mark.parametrize("limit", [0, -1])
def test_a_budget_without_slots_is_an_error(limit: int) -> None:
    with pytest.raises(ValueError, match="at least one slot"):
        Ledger(limit)


def test_a_waiter_who_fits_waits_for_nothing() -> None:
    ledger = Ledger(2)
    fill(ledger, 1, 0.0)
    assert ledger.eta(1, 0.0, 241.0) == 0.0


def test_the_kth_waiter_gets_the_kth_slot_that_expires() -> None:
    ledger = Ledger(3)
    for slot, closed in zip(fill(ledger, 3, 0.0), (2.0, 1.0, 3.0), strict=True):
        ledger.close(slot, closed, 240.0)
    assert [ledger.eta(k, 3.0, 241.0) for k in (1, 2, 3)] == [238.0, 239.0, 240.0]


def test_above_the_limit_the_first_to_expire_help_nobody() -> None:
    ledger = Ledger(3)
    for slot, closed in zip(fill(ledger, 3, 0.0), (1.0, 2.0, 3.0), strict=True):
        ledger.close(slot, closed, 10.0)
    ledger.resize(2)
    assert ledger.eta(1, 3.0, 11.0) == 9.0


def test_behind_open_slots_the_typical_use_is_the_estimate() -> None:
    ledger = Ledger(1)
    fill(ledger, 1, 0.0)
    assert ledger.eta(1, 5.0, 241.0) == 241.0


def test_an_open_slot_is_not_thought_to_come_before_a_cooling_one() -> None:
    ledger = Ledger(2)
    slot, _ = fill(ledger, 2, 0.0)
    ledger.close(slot, 0.0, 500.0)
    assert ledger.eta(2, 0.0, 241.0) == 500.0


def test_a_line_longer_than_the_budget_waits_for_those_served_first() -> None:
    ledger = Ledger(2)
    assert [ledger.eta(k, 0.0, 10.0) for k in range(1, 7)] == [0.0, 0.0, 10.0, 10.0, 20.0, 20.0]


def test_a_later_waiter_is_never_promised_an_earlier_slot() -> None:
    ledger = Ledger(3)
    for slot, hold in zip(fill(ledger, 2, 0.0), (5.0, 100.0), strict=True):
        ledger.close(slot, 0.0, hold)
    etas = [ledger.eta(k, 0.0, 10.0) for k in range(1, 20)]
    assert etas == sorted(etas)


def test_the_slots_of_all_sources_add_up() -> None:
    ledger = Ledger(4)
    slots = [ledger.force(Kind.DOWNLOAD, source, 0.0) for source in "aab"]
    ledger.close(slots[0], 0.0, 5.0)
    ledger.cancel(slots[1])
    assert ledger.adds_up
    ledger._held["c"] = 1
    assert not ledger.adds_up
