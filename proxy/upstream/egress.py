"""A way to a server: from one address of ours, with what is counted there: budget and sessions.

Firewalls and servers count by address: two addresses have two budgets, and twice the sessions.
"""

from __future__ import annotations

from dataclasses import dataclass

from proxy.store.budget import Budget

from .pool import Pool


@dataclass(frozen=True, slots=True, eq=False)
class Egress:
    """A way from an egress address; None: whichever the system chooses."""

    address: str | None
    budget: Budget
    pool: Pool
    name: str = ""  # in metrics, files and the store; the only way needs none

    @property
    def free(self) -> int:
        """Slots that are neither open nor cooling."""
        return self.budget.limit - self.budget.taken
