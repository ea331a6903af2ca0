"""When scripts start: schedules made before the run. Pure: chance is a seed, time begins at zero.

A schedule never depends on how fast anything is answered; that is what makes a load open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from random import Random
from typing import Final


def together(rate: float, duration: float, many: int, seed: int) -> list[float]:
    """Start every script at the same instant, as cron does at :00."""
    return [0.0] * many


def constant(rate: float, duration: float, many: int, seed: int) -> list[float]:
    """Start scripts at equal distances."""
    return [number / rate for number in range(int(rate * duration))]


def poisson(rate: float, duration: float, many: int, seed: int) -> list[float]:
    """Start scripts as independent people do: distances are exponential."""
    chance = Random(seed)
    moments: list[float] = []
    now = 0.0
    for _ in count():
        now += chance.expovariate(rate)
        if now >= duration:
            break
        moments.append(now)
    return moments


SCHEDULES: Final[Mapping[str, Callable[[float, float, int, int], list[float]]]] = {
    "together": together,
    "constant": constant,
    "poisson": poisson,
}
