"""Numbers as people read them."""

from __future__ import annotations

import pytest

from loadtest import words


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.000012, "12µs"), (0.0123, "12.3ms"), (0.9999, "1s"), (2.5, "2.5s"), (60.1, "60.1s"),
     (600, "10.0min"), (36_000, "10.0h")],
)  # fmt: skip
def test_a_time_has_three_digits(value: float, told: str) -> None:
    assert words.seconds(value) == told


@pytest.mark.parametrize(
    ("value", "told"), [(0, "0 B"), (1500, "1.5 KiB"), (1 << 21, "2.0 MiB"), (1 << 31, "2.0 GiB")]
)
def test_a_size_has_the_unit_that_suits_it(value: float, told: str) -> None:
    assert words.size(value) == told


@pytest.mark.parametrize(
    ("value", "told"),
    [(1.0, "100 %"), (0.9996, "99.96 %"), (0.5, "50 %"), (0.123, "12.3 %"), (0.0004, "0.04 %")],
)
def test_almost_all_never_looks_like_all(value: float, told: str) -> None:
    assert words.share(value) == told
