"""A budget whose clock the test turns."""

from __future__ import annotations

from proxy.events import Event
from proxy.shaping.holds import Holds, explicit
from proxy.shaping.ledger import Kind, Slot
from proxy.shaping.tolerance import Enforce, Tolerance
from proxy.store.budget import Budget
from proxy.store.journal import Journal
from proxy.store.share import Share

HOLD = 60.0


class Purse:
    """The budget, and what it has announced."""

    def __init__(
        self,
        limit: int = 4,
        holds: Holds | None = None,
        guard: float = 0.0,
        enforce: Enforce = Enforce.ON,
        journal: Journal | None = None,
        now: float = 1000.0,
        share: Share | None = None,
    ) -> None:
        self.now = now
        self.events: list[Event] = []
        self.budget = Budget(
            Tolerance(limit, holds or explicit(HOLD), guard, enforce),
            clock=lambda: self.now,
            announce=self.events.append,
            journal=journal,
            share=share,
        )

    def take(self, source: str = "", kind: Kind = Kind.CONTROL) -> Slot:
        slot = self.budget.reserve(kind, source)
        assert slot is not None
        return slot
