"""A line through samples: what rises is found, what only trembles is not."""

from __future__ import annotations

import random

import pytest

from loadtest.soak.trend import FEWEST, TooFew, medians, trend

CHANCE = random.Random(5)
SECONDS = range(450)


def test_a_level_that_only_trembles_does_not_rise() -> None:
    found = [trend([(at, CHANCE.gauss(300, 20)) for at in SECONDS]) for _ in range(200)]
    assert sum(line.rises(1) for line in found) <= 8  # one side of 99 % is 1 in 200; three SDs more


def test_a_leak_well_below_the_noise_of_one_sample_is_found() -> None:
    line = trend([(at, CHANCE.gauss(300, 20) + 0.2 * at) for at in SECONDS])
    assert line.rises(1)
    assert line.low < 0.2 < line.high
    assert line.ends - line.begins == pytest.approx(90, rel=0.3)


def test_a_level_that_never_moves_lies_on_its_line() -> None:
    line = trend([(at, 2) for at in SECONDS])
    assert (line.begins, line.ends, line.low, line.high, line.noise) == (2, 2, 0, 0, 0)
    assert not line.rises(1)


def test_a_saw_is_no_rise() -> None:
    line = trend([(at, 100 + at % 7) for at in SECONDS])
    assert not line.rises(1)


def test_a_few_wild_samples_bend_nothing() -> None:
    wild = {60: 9000.0, 200: 8000.0, 440: 9500.0}
    line = trend([(at, wild.get(at, 100 + at % 3)) for at in SECONDS])
    assert not line.rises(1)
    assert line.ends == pytest.approx(101, abs=1)


def test_growth_of_less_than_a_grain_means_nothing() -> None:
    line = trend([(at, 100 + at / 10_000) for at in SECONDS])
    assert line.low > 0
    assert not line.rises(1)


def test_falling_is_not_rising() -> None:
    assert not trend([(at, 1000 - at) for at in SECONDS]).rises(1)


def test_a_block_is_told_by_its_middle() -> None:
    samples = [(number, 7) for number in range(90)]
    samples[1] = (1, 500)
    assert medians(samples)[:2] == [(1, 7), (4, 7)]


@pytest.mark.parametrize("count", [0, 1, 2 * FEWEST - 1])
def test_too_few_samples_say_nothing(count: int) -> None:
    with pytest.raises(TooFew):
        trend([(at, 1) for at in range(count)])
