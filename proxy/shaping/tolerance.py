"""What a firewall tolerates, and what becomes of one who would exceed it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .holds import Ending, Holds
from .ledger import Kind


class Enforce(Enum):
    """What the budget does with one who would exceed it."""

    ON = "on"  # waits
    SHADOW = "shadow"  # goes, and is told of
    OFF = "off"  # goes


@dataclass(frozen=True, slots=True)
class Tolerance:
    """So many connections, open or closed less than their hold ago. Seconds."""

    limit: int
    holds: Holds
    guard: float = 0.0  # added to each hold: a FIN may have to be sent again
    enforce: Enforce = Enforce.ON

    def hold(self, kind: Kind, ending: Ending) -> float:
        """For how long a connection that has ended so counts."""
        return self.holds.of(kind, ending) + self.guard

    @property
    def usual_hold(self) -> float:
        """For how long most count: downloads and listings that ended in peace."""
        return self.holds.server_closed + self.guard

    @property
    def longest_hold(self) -> float:
        """For how long any may count at most."""
        return self.holds.longest + self.guard
