"""One address of ours towards the server, with what is counted there: its budget and its sessions.

Firewalls and servers count by address: two addresses have two budgets, and twice the sessions.
"""

from __future__ import annotations

from dataclasses import dataclass

from proxy.store.budget import Budget

from .pool import Pool


@dataclass(frozen=True, slots=True, eq=False)
class Egress:
    """An egress address; None: whichever the system chooses."""

    address: str | None
    budget: Budget
    pool: Pool

    @property
    def free(self) -> int:
        """Slots that are neither open nor cooling."""
        return self.budget.limit - self.budget.taken
