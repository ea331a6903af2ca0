"""What a run has measured, as values: written as JSON, read again, compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from .works import Unit


@dataclass(frozen=True, slots=True)
class Toll:
    """Processor seconds in the window."""

    proxy: float = 0.0
    server: float = 0.0
    scripts: float = 0.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement. Times are seconds, rates per second."""

    work: str
    unit: str
    peer: str
    round: int
    scripts: int
    seconds: float
    files: int  # or logins
    moved: int  # bytes
    toll: Toll
    deciles: list[float] = field(default_factory=list)  # files/s of each tenth of the files
    answers: list[float] = field(default_factory=list)  # p50, p99 and the longest
    shares: list[float] = field(default_factory=list)  # bytes: fewest, median, most of a script
    pause: float = 0.0  # the longest in which a script saw nothing

    @property
    def figure(self) -> float:
        """What this measurement is about, in its unit."""
        match Unit(self.unit):
            case Unit.GIB:
                return self.moved / self.seconds / 2**30
            case Unit.FILES | Unit.LOGINS:
                return self.files / self.seconds
            case Unit.STEADY:
                return self.deciles[-1] / self.deciles[0]
            case Unit.ANSWER:
                return self.answers[1] * 1000

    @property
    def price(self) -> float:
        """Processor seconds of the proxy for a GiB, or for 1,000 files."""
        much = self.files / 1000 if self.files else self.moved / 2**30
        return self.toll.proxy / much if much else 0.0


@dataclass(frozen=True, slots=True)
class Failure:
    """A wrong byte, or a transfer that broke off, behind one peer."""

    peer: str
    words: str


@dataclass(frozen=True, slots=True)
class Run:
    """All that was measured in one go."""

    environment: dict[str, str]
    samples: list[Sample]
    failures: list[Failure]

    def of(self, work: str, peer: str) -> list[Sample]:
        """Return the samples of one work behind one peer, by round."""
        return [it for it in self.samples if (it.work, it.peer) == (work, peer)]

    def ratio(
        self,
        work: str,
        peer: str,
        other: str,
        of: Callable[[Sample], float] = lambda sample: sample.figure,
    ) -> float | None:
        """Return the median over the rounds of peer / other; None when one was not measured."""
        others = {sample.round: of(sample) for sample in self.of(work, other)}
        ours = self.of(work, peer)
        ratios = [of(it) / others[it.round] for it in ours if others.get(it.round)]
        return median(ratios) if ratios else None

    def middle(
        self,
        work: str,
        peer: str,
        of: Callable[[Sample], float] = lambda sample: sample.figure,
    ) -> float | None:
        """Return the median of a work behind a peer; None when it was not measured."""
        figures = [of(sample) for sample in self.of(work, peer)]
        return median(figures) if figures else None


def write(run: Run, path: Path) -> None:
    """Write a run for machines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(run), indent=1) + "\n")


def read(path: Path) -> Run:
    """Read what `write` has written."""
    told = json.loads(path.read_text())
    samples = [Sample(**{**it, "toll": Toll(**it["toll"])}) for it in told["samples"]]
    failures = [Failure(**it) for it in told["failures"]]
    return Run(told["environment"], samples, failures)
