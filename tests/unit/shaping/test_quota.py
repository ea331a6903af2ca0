"""Caps of one source; the exact minute is in tests/property/test_quota.py."""

from __future__ import annotations

import pytest

from proxy.shaping.quota import FEW, MINUTE, Limits, Quotas

KEY = ("nightly", "10.20.0.1")
FREE = Limits()


def test_a_source_without_caps_is_never_held_back() -> None:
    quotas = Quotas()
    for _ in range(100):
        assert quotas.enter_session(KEY, FREE)
        assert quotas.transfer_wait(KEY, FREE, 0.0) == 0.0
        quotas.start_transfer(KEY, FREE, 0.0)
    assert (quotas.sessions(KEY), quotas.transfers(KEY)) == (100, 100)


def test_a_session_beyond_the_cap_is_not_counted_in() -> None:
    quotas, limits = Quotas(), Limits(sessions=1)
    assert quotas.enter_session(KEY, limits)
    assert not quotas.enter_session(KEY, limits)
    quotas.leave_session(KEY)
    assert quotas.enter_session(KEY, limits)


def test_a_transfer_beyond_the_cap_waits_until_one_ends() -> None:
    quotas, limits = Quotas(), Limits(transfers=1)
    quotas.start_transfer(KEY, limits, 0.0)
    assert quotas.transfer_wait(KEY, limits, 0.0) is None
    quotas.end_transfer(KEY)
    assert quotas.transfer_wait(KEY, limits, 0.0) == 0.0


def test_sources_and_classes_are_metered_apart() -> None:
    quotas, limits = Quotas(), Limits(transfers=1)
    quotas.start_transfer(KEY, limits, 0.0)
    assert quotas.transfer_wait(("nightly", "10.20.0.2"), limits, 0.0) == 0.0
    assert quotas.transfer_wait(("everyone", "10.20.0.1"), limits, 0.0) == 0.0


def test_a_start_beyond_the_limit_per_minute_waits_for_the_oldest_to_age() -> None:
    quotas, limits = Quotas(), Limits(transfers_per_minute=2)
    for now in (0.0, 20.0):
        assert quotas.transfer_wait(KEY, limits, now) == 0.0
        quotas.start_transfer(KEY, limits, now)
        quotas.end_transfer(KEY)
    assert quotas.transfer_wait(KEY, limits, 30.0) == 30.0


def test_a_start_exactly_a_minute_old_counts_no_more() -> None:
    quotas, limits = Quotas(), Limits(transfers_per_minute=1)
    quotas.start_transfer(KEY, limits, 5.0)
    assert quotas.transfer_wait(KEY, limits, 5.0 + MINUTE) == 0.0


def test_concurrency_is_told_before_the_limit_per_minute() -> None:
    quotas, limits = Quotas(), Limits(transfers=1, transfers_per_minute=1)
    quotas.start_transfer(KEY, limits, 0.0)
    assert quotas.transfer_wait(KEY, limits, 0.0) is None
    quotas.end_transfer(KEY)
    assert quotas.transfer_wait(KEY, limits, 0.0) == MINUTE


def test_a_lower_limit_per_minute_counts_the_starts_before_it() -> None:
    quotas, limits = Quotas(), Limits(transfers_per_minute=3)
    for now in (0.0, 1.0, 2.0):
        quotas.start_transfer(KEY, limits, now)
    assert quotas.transfer_wait(KEY, Limits(transfers_per_minute=1), 2.0) == MINUTE


def test_a_source_that_did_nothing_lately_is_forgotten_at_once() -> None:
    quotas = Quotas()
    quotas.enter_session(KEY, FREE)
    quotas.start_transfer(KEY, FREE, 0.0)
    quotas.leave_session(KEY)
    assert quotas.known == 1
    quotas.end_transfer(KEY)
    assert quotas.known == 0


def test_a_source_is_remembered_while_its_minute_lasts() -> None:
    quotas, limits = Quotas(), Limits(transfers_per_minute=1)
    quotas.enter_session(KEY, limits)
    quotas.start_transfer(KEY, limits, 0.0)
    quotas.end_transfer(KEY)
    quotas.leave_session(KEY)
    assert quotas.transfer_wait(KEY, limits, 59.0) == 1.0


def test_sources_whose_minute_is_over_are_forgotten() -> None:
    quotas, limits = Quotas(), Limits(transfers_per_minute=1)
    for number in range(20 * FEW):
        key = ("everyone", str(number))
        quotas.start_transfer(key, limits, float(number))
        quotas.end_transfer(key)
        assert quotas.known <= 2 * FEW


def test_no_source_is_forgotten_before_its_minute_is_over() -> None:
    quotas, limits = Quotas(), Limits(transfers_per_minute=1)
    keys = [("everyone", str(number)) for number in range(5 * FEW)]
    for key in keys:
        quotas.start_transfer(key, limits, 0.0)
        quotas.end_transfer(key)
    assert {quotas.transfer_wait(key, limits, 30.0) for key in keys} == {30.0}


def test_a_busy_source_is_not_forgotten_with_the_others() -> None:
    quotas, limits = Quotas(), Limits(transfers_per_minute=1)
    quotas.start_transfer(KEY, FREE, 0.0)
    for number in range(2 * FEW):
        quotas.start_transfer(("everyone", str(number)), limits, 0.0)
        quotas.end_transfer(("everyone", str(number)))
    quotas.start_transfer(("late", "1"), limits, 2 * MINUTE)
    quotas.end_transfer(KEY)
    assert quotas.transfers(KEY) == 0


def test_a_session_that_never_came_cannot_leave() -> None:
    with pytest.raises(ValueError, match="no session"):
        Quotas().leave_session(KEY)


def test_a_transfer_that_never_started_cannot_end() -> None:
    with pytest.raises(ValueError, match="no transfer"):
        Quotas().end_transfer(KEY)


def test_a_cap_below_one_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Limits(transfers_per_minute=0)


def test_a_weight_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="weight"):
        Limits(weight=0.0)
