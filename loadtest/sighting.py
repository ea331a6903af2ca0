"""What a run against one target has left behind, before anybody draws conclusions. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from .record import Record
from .servers.wishes import Evidence


@dataclass(slots=True)
class ProxyCost:
    """What the proxy took while the run lasted."""

    cpu: float = 0.0
    memory_most: int = 0
    waits: list[float] = field(default_factory=list)  # of a NOOP, again and again
    history: list[tuple[float, float, int]] = field(default_factory=list)  # moment, CPU s, bytes


@dataclass(slots=True)
class Sighting:
    """One target's run."""

    target: str
    began: float  # of the machine's monotonic clock, as every moment in here
    seconds: float = 0.0
    records: list[Record] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)
    corrupt: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    evidence: Evidence | None = None
    proxy: ProxyCost | None = None
    server_cpu: float = 0.0
    is_partial: bool = False
    notes: list[str] = field(default_factory=list)  # what went wrong with the run itself
