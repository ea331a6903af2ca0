"""The moving threshold, and the pace above it."""

from __future__ import annotations

import pytest

from proxy.shaping.burst import Burst

PACE = 0.5


def test_a_source_below_its_threshold_goes_at_once() -> None:
    assert Burst().wait(held=49, used=50, limit=100, now=0.0) == 0.0


def test_a_start_below_the_threshold_costs_the_pacer_nothing() -> None:
    burst = Burst()
    for _ in range(9):
        burst.took(0, 0, 100, 0.0, PACE)
    assert burst.wait(held=100, used=100, limit=100, now=0.0) == 0.0


def test_a_source_alone_may_burst_into_half_of_the_budget() -> None:
    burst, held = Burst(), 0
    burst.took(100, 100, 100, 0.0, PACE)
    burst.took(100, 100, 100, 0.0, PACE)
    while burst.wait(held, held, 100, 0.0) == 0.0:
        held += 1
    assert held == 50


def test_a_higher_alpha_leaves_less_to_newcomers() -> None:
    burst, held = Burst(alpha=4.0), 0
    burst.took(100, 100, 100, 0.0, PACE)
    burst.took(100, 100, 100, 0.0, PACE)
    while burst.wait(held, held, 100, 0.0) == 0.0:
        held += 1
    assert held == 80


def test_above_the_threshold_starts_keep_the_pace() -> None:
    burst, now, starts = Burst(), 10.0, []
    for _ in range(5):
        now += burst.wait(80, 90, 100, now)
        burst.took(80, 90, 100, now, PACE)
        starts.append(now)
    assert starts == [10.0, 10.0, 10.5, 11.0, 11.5]


def test_one_pacer_serves_all_sources() -> None:
    burst = Burst()
    burst.took(50, 90, 100, 0.0, PACE)
    burst.took(50, 90, 100, 0.0, PACE)
    assert burst.wait(40, 90, 100, 0.25) == 0.25


def test_a_late_timer_does_not_slow_the_pace() -> None:
    burst = Burst()
    for now in (0.0, 0.0, 0.75):
        burst.took(80, 90, 100, now, PACE)
    assert burst.wait(80, 90, 100, 0.75) == 0.25


def test_a_quiet_hour_saves_up_no_burst() -> None:
    burst = Burst()
    for now in (0.0, 0.0, 3600.0, 3600.0):
        burst.took(80, 90, 100, now, PACE)
    assert burst.wait(80, 90, 100, 3600.0) == PACE


def test_a_budget_that_is_exceeded_has_no_threshold_to_be_below() -> None:
    burst = Burst()
    burst.took(0, 101, 100, 0.0, PACE)
    burst.took(0, 101, 100, 0.0, PACE)
    assert burst.wait(0, 101, 100, 0.0) == PACE


@pytest.mark.parametrize("limit", [1, 2, 400])
def test_a_newcomer_is_never_paced_while_a_slot_is_free(limit: int) -> None:
    burst = Burst()
    burst.took(limit, limit, limit, 0.0, PACE)
    burst.took(limit, limit, limit, 0.0, PACE)
    assert burst.wait(0, limit - 1, limit, 0.0) == 0.0


@pytest.mark.parametrize("alpha", [0.0, -1.0])
def test_an_alpha_that_lets_nobody_burst_is_an_error(alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha"):
        Burst(alpha)
