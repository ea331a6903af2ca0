"""Plots put values where they belong."""

from __future__ import annotations

import pytest

from loadtest.report.plots import Axis, Series, nice, over_time, shares, spectrum


def test_an_axis_maps_its_ends_to_its_pixels() -> None:
    axis = Axis(0, 10, 50, 150)
    assert (axis.at(0), axis.at(5), axis.at(10)) == (50, 100, 150)
    assert axis.at(99) == 150


def test_a_logarithmic_axis_gives_each_decade_the_same_room() -> None:
    axis = Axis(0.001, 1, 0, 300, is_log=True)
    assert axis.at(0.01) == pytest.approx(100)
    assert axis.at(0.1) == pytest.approx(200)


@pytest.mark.parametrize("high", [0.003, 0.9, 7.0, 61.0, 4999.0])
def test_ticks_are_few_and_round_and_within(high: float) -> None:
    ticks = nice(high)
    assert 3 <= len(ticks) <= 7
    assert ticks[0] == 0
    assert ticks[-1] <= high


def test_the_limit_is_drawn_only_when_there_is_one() -> None:
    line = Series("a", 0, [(0.0, 1.0), (2.0, 3.0)])
    assert 'class="limit"' in over_time("t", [line], "s", 5)
    assert 'class="limit"' not in over_time("t", [line], "s")


def test_without_points_there_is_no_plot() -> None:
    assert over_time("t", [], "s") == ""
    assert spectrum("t", []) == ""


def test_thousands_of_sources_are_drawn_as_some() -> None:
    bars = [(f"s{number}", number, 4000) for number in range(4000)]
    assert shares("t", bars, 0).count('class="bar') <= 120
