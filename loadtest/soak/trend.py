"""Does a series of samples rise? A slope with its interval, and a verdict. Pure.

Samples a second apart know of each other, so the window is cut into blocks and each block's median
is taken. The slope is the median of all slopes between two blocks (Theil and Sen), which a few odd
blocks do not move; its interval is Sen's (1968), from the variance of Kendall's score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from statistics import median
from typing import Final

BLOCKS: Final = 30
FEWEST: Final = 8  # below, an interval of this confidence would have no end
Z: Final = 2.576  # 99 % of the normal distribution: six levels are judged in one run

Point = tuple[float, float]


class TooFew(Exception):
    """There are not enough samples to say anything."""


@dataclass(frozen=True, slots=True)
class Trend:
    """The line through a level; slopes are per second."""

    begins: float  # on the line, where the window begins
    ends: float
    slope: float
    low: float  # the slope lies between these, 99 times in 100
    high: float
    noise: float  # how far a block's median usually lies from the line

    def rises(self, grain: float) -> bool:
        """Tell whether it grew beyond chance, beyond its own noise, and by a grain at least."""
        growth = self.ends - self.begins
        return self.low > 0 and growth > self.noise and growth >= grain


def trend(points: Sequence[Point]) -> Trend:
    """Lay the line; raise TooFew."""
    blocks = medians(points)
    if len(blocks) < FEWEST:
        raise TooFew(f"{len(points)} samples are too few")
    slopes = sorted((y1 - y0) / (x1 - x0) for (x0, y0), (x1, y1) in combinations(blocks, 2))
    low, high = _interval(slopes, len(blocks))
    slope = median(slopes)
    start = median(y - slope * x for x, y in blocks)
    # 1.4826 makes a median distance of what is normally distributed its standard deviation.
    noise = 1.4826 * median(abs(y - start - slope * x) for x, y in blocks)
    begins, ends = (start + slope * points[at][0] for at in (0, -1))
    return Trend(begins, ends, slope, low, high, noise)


def medians(points: Sequence[Point]) -> list[Point]:
    """Cut a series into blocks and return the middle of each."""
    count = min(BLOCKS, len(points) // 2)
    edges = [round(number * len(points) / count) for number in range(count + 1)] if count else []
    return [
        (median(x for x, _ in block), median(y for _, y in block))
        for block in (points[a:b] for a, b in zip(edges, edges[1:], strict=False))
    ]


def _interval(slopes: Sequence[float], blocks: int) -> tuple[float, float]:
    """Return Sen's bounds: so many of the sorted slopes from the middle, either way."""
    reach = Z * sqrt(blocks * (blocks - 1) * (2 * blocks + 5) / 18)
    lower = max(0, int((len(slopes) - reach) / 2))
    return slopes[lower], slopes[len(slopes) - 1 - lower]
