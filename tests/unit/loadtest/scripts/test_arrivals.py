"""Schedules are made before the run and depend on nothing but their numbers."""

from __future__ import annotations

import pytest

from loadtest.scripts.arrivals import SCHEDULES, constant, poisson, together


def test_together_starts_every_script_at_zero() -> None:
    assert together(5.0, 10.0, 4, seed=1) == [0.0] * 4


def test_constant_starts_are_equally_far_apart() -> None:
    assert constant(2.0, 2.0, 99, seed=1) == [0.0, 0.5, 1.0, 1.5]


def test_poisson_starts_rise_and_stay_within_the_duration() -> None:
    moments = poisson(50.0, 20.0, 0, seed=7)
    assert moments == sorted(moments)
    assert moments[0] > 0
    assert moments[-1] < 20.0


def test_poisson_comes_close_to_its_rate() -> None:
    assert len(poisson(50.0, 100.0, 0, seed=3)) == pytest.approx(5000, rel=0.05)


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_same_seed_gives_the_same_schedule(name: str) -> None:
    make = SCHEDULES[name]
    assert make(10.0, 5.0, 20, 4) == make(10.0, 5.0, 20, 4)


def test_another_seed_gives_another_schedule() -> None:
    assert poisson(10.0, 5.0, 0, seed=1) != poisson(10.0, 5.0, 0, seed=2)
