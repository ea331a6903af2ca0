"""What a soak has found: each level with its line and verdict. Shows nothing. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from .levels import LEVELS, Level, Sample
from .trend import Point, Trend, trend

HOUR = 3600


@dataclass(frozen=True, slots=True)
class Held:
    """One level over the whole run, and the line from the end of the warm-up on."""

    level: Level
    points: list[Point]
    trend: Trend

    @property
    def rises(self) -> bool:
        """Tell whether it does."""
        return self.trend.rises(self.level.grain)

    @property
    def words(self) -> str:
        """The line in words."""
        line, told = self.trend, self.level.told
        slope, low, high = (_signed(told, HOUR * it) for it in (line.slope, line.low, line.high))
        return f"{'rises' if self.rises else 'level'}: {slope} an hour (99 %: {low} to {high})"


@dataclass(frozen=True, slots=True)
class Soak:
    """A whole run."""

    warm_up: float  # seconds that are not judged
    held: list[Held]
    transfers: int  # that ended after the warm-up

    @property
    def rising(self) -> list[str]:
        """Name what rises."""
        return [held.level.name for held in self.held if held.rises]


def findings(samples: Sequence[Sample], warm_up: float) -> Soak:
    """Judge every level; raise TooFew."""
    judged = [sample for sample in samples if sample.at >= warm_up]
    held = [Held(level, _points(level, samples), trend(_points(level, judged))) for level in LEVELS]
    return Soak(warm_up, held, judged[-1].transfers - judged[0].transfers)


def as_json(soak: Soak, environment: dict[str, str]) -> dict[str, object]:
    """Return it for machines, samples and all."""
    return {
        "environment": environment,
        "warm_up": soak.warm_up,
        "transfers": soak.transfers,
        "rising": soak.rising,
        "levels": {
            held.level.name: {**asdict(held.trend), "rises": held.rises, "points": held.points}
            for held in soak.held
        },
    }


def _points(level: Level, samples: Sequence[Sample]) -> list[Point]:
    return [(sample.at, getattr(sample, level.name)) for sample in samples]


def _signed(told: Callable[[float], str], value: float) -> str:
    return f"{'-' if value < 0 else '+'}{told(abs(value))}" if value else told(0)
