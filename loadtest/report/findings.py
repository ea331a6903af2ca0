"""What a report says, as plain frozen values: one Finding per target, one Report per run.

The JSON file is exactly this, so machines read what people see. Computes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

SeriesPoint = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Latency:
    """One distribution, in seconds."""

    count: int
    mean: float
    p50: float
    p90: float
    p95: float
    p99: float
    p999: float
    longest: float
    spectrum: list[SeriesPoint] = field(default_factory=list)  # (share of all, seconds)
    encoded: str = ""  # the whole HdrHistogram, in microseconds


@dataclass(frozen=True, slots=True)
class Correctness:
    """Lies: bytes that were wrong, replies that were somebody else's."""

    corrupt: list[str]
    strangers: list[str]
    client_bytes: int
    server_bytes: int | None


@dataclass(frozen=True, slots=True)
class BudgetTruth:
    """What the server's side counted; never the proxy's own numbers."""

    by: str
    limit: int | None
    most: int
    sessions_limit: int | None
    sessions_most: int
    opened: int
    violations: int
    first_violation: str
    banned: bool
    refused_sessions: int


@dataclass(frozen=True, slots=True)
class Served:
    """How much was asked for and how much was done."""

    planned: int
    done: int
    outcomes: dict[str, int]
    reasons: dict[str, int]
    offered: float  # scripts a second, over the time in which they were scheduled
    achieved: float  # files a second, over the whole run
    bytes_per_second: float
    lag_mean: float
    lag_most: float
    skipped: int

    @property
    def success(self) -> float:
        """The share that was done."""
        return self.done / self.planned if self.planned else 1.0


@dataclass(frozen=True, slots=True)
class GroupServed:
    """One group of scripts."""

    planned: int
    done: int
    total: Latency | None


@dataclass(frozen=True, slots=True)
class Fairness:
    """How equally sources were served; 1 is equal, 1/n is one takes all."""

    jain: float
    jain_contended: float | None  # until the first source had all it wanted
    worst_p95: float
    best_p95: float


@dataclass(frozen=True, slots=True)
class ProxyFinding:
    """What the proxy took for it."""

    cpu: float
    cpu_per_1000: float
    memory_most: int
    lag_p50: float
    lag_p99: float
    lag_most: float


@dataclass(frozen=True, slots=True)
class Finding:
    """All about one target."""

    target: str
    seconds: float
    is_partial: bool
    notes: list[str]
    correctness: Correctness
    budget: BudgetTruth | None
    served: Served
    phases: dict[str, Latency]
    groups: dict[str, GroupServed]
    fairness: Fairness | None
    proxy: ProxyFinding | None
    faults: dict[str, int]
    extrapolated_hours: float | None
    counted: list[SeriesPoint]  # by the firewall: (seconds, connections)
    pace: list[SeriesPoint]  # (seconds, files a minute)
    shares: list[tuple[str, int, int]]  # source, done, planned


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run."""

    scenario: str
    proves: str
    scale: str
    judged: str
    environment: dict[str, str]
    findings: list[Finding]
    failures: list[str]  # why the exit code is 1; empty: it is 0

    def of(self, target: str) -> Finding | None:
        """Return the finding about a target, if it was run."""
        return next((found for found in self.findings if found.target == target), None)
