"""A way to a server: from one address of ours, with what is counted there: budget and sessions.

Firewalls and servers count by address: two addresses have two budgets, and twice the sessions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from proxy.store.budget import Budget

from .pool import Pool


class Demand(Protocol):
    """What those who wait could use now: how much, and for whose weight."""

    def slots(self, egress: Egress) -> tuple[int, float]:
        """Slots of this way."""
        ...

    def seats(self) -> tuple[int, float]:
        """Sessions with the server."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Egress:
    """A way from an egress address; None: whichever the system chooses."""

    address: str | None
    budget: Budget
    pool: Pool
    name: str = ""  # in metrics, files and the store; the only way needs none

    def serve(self, rouse: Callable[[], None], demand: Demand) -> None:
        """Rouse those who wait whenever something comes free; tell the store of their demand."""
        self.budget.serve(rouse, partial(demand.slots, self))
        self.pool.serve(rouse, demand.seats)

    @property
    def free(self) -> int:
        """Slots that are neither open nor cooling."""
        return self.budget.limit - self.budget.taken
