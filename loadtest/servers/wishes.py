"""What a server is asked to be, and what it has seen: the two things that cross the process border.

Plain values, so both sides can be read as JSON.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from ..scenario import Faults


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the embedded server shall do."""

    folder: str
    evidence: str  # the file in which it leaves what it has seen
    host: str
    user: str
    password: str
    sessions_per_address: int | None
    backlog: int
    login_delay: float
    restart_at: float | None
    restart_takes: float
    limit: int | None
    hold: float
    ban: float | None
    seed: int
    faults: dict[str, Any]

    def parsed_faults(self) -> Faults:
        """Return the faults as the scenario has them."""
        return Faults.model_construct(**self.faults)


@dataclass(slots=True)
class Evidence:
    """What was seen at the server's side, by the firewall and by the server itself."""

    by: str = "nobody"  # emulated firewall, kernel's connection tracking
    limit: int | None = None
    most: int = 0
    sessions_most: int = 0
    opened: int = 0
    violations: list[tuple[float, int, str]] = field(default_factory=list)
    history: list[tuple[float, int]] = field(default_factory=list)
    banned: bool = False
    can_count_bytes: bool = False
    sent: int = 0
    received: int = 0
    refused_sessions: int = 0
    faults: dict[str, int] = field(default_factory=dict)

    def as_plain(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)
