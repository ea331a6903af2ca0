"""What the doctor concludes: a cause out of one table, and the evidence for it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any


class Area(StrEnum):
    """What kind of trouble it is, which decides who must be called."""

    NAMES = "name resolution"
    ROUTE = "routing or firewall"
    PASSIVE = "passive ports"
    ACTIVE = "active mode"
    TLS = "TLS or certificate"
    LOGIN = "login or permission"
    LIMIT = "server limit"
    MACHINE = "this machine"
    PROXY = "ftpweir itself"
    STORE = "shared store"


class Weight(IntEnum):
    """How much depends on it, the heaviest first."""

    PROBLEM = 0  # something that is configured does not work
    WARNING = 1  # it works, but not as well or as long as it could
    NOTE = 2  # worth knowing


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that can be the matter."""

    code: str
    area: Area
    weight: Weight
    sentence: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause that was met, and what speaks for it."""

    cause: Cause
    evidence: str

    def as_json(self) -> dict[str, Any]:
        """Return what --json prints of it."""
        return {
            "code": self.cause.code,
            "class": self.cause.area.value,
            "weight": self.cause.weight.name.lower(),
            "cause": self.cause.sentence,
            "evidence": self.evidence,
            "remedy": self.cause.remedy,
        }
