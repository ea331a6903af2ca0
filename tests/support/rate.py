"""Rates against what a budget allows, measured on a machine that others may use too."""

from __future__ import annotations

LEAST = 0.9  # of the theoretical rate


class RateMissed(AssertionError):
    """A rate that the machine may be to blame for: `make test` measures it once more."""


def expect_rate(rate: float, possible: float) -> None:
    """Raise RateMissed when less than 90 % of the possible was reached; both per second."""
    if rate < LEAST * possible:
        raise RateMissed(f"{rate:.2f} of {possible:.2f} possible a second, wanted are {LEAST:.0%}")
