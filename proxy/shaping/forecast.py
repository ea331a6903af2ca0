"""How long a batch of transfers takes, and which limit it meets: what `ftpweir plan` prints. Pure.

Arithmetic, not a simulation: tests/unit/shaping/test_forecast.py plays batches through the real
ledger and compares. It takes every file to be alike and the batch to be alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .quota import MINUTE


class Bound(StrEnum):
    """What may hold a batch up; named as the setting is."""

    BUDGET = "budget.connections"
    SESSIONS = "upstream.sessions"
    CLASS_RATE = "clients.transfers_per_minute"
    CLASS_TRANSFERS = "clients.transfers"


@dataclass(frozen=True, slots=True)
class Batch:
    """The files, and what is allowed. None means that there is no such limit."""

    files: int
    duration: float  # seconds that one file keeps its connection open, and a session busy
    sessions: int
    sources: int = 1  # addresses that the scripts come from
    transfers: int | None = None  # at once, of one source
    transfers_per_minute: int | None = None  # of one source

    def __post_init__(self) -> None:
        if self.files < 1 or self.sources < 1 or self.sessions < 1:
            raise ValueError("a batch has at least one file, one source and one session")
        if self.duration <= 0:
            raise ValueError(f"a file takes some time, not {self.duration}")


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the firewall's budget leaves to transfers, and how long it remembers each."""

    slots: int
    hold: float  # seconds that a closed connection still counts, the guard included
    # Long holds: a source takes its share of what is free at once, then goes at the steady pace.
    is_paced: bool


@dataclass(frozen=True, slots=True)
class Strain:
    """One limit's own say: the pace in the long run, and when it lets the last file start."""

    bound: Bound
    rate: float  # files per second
    last_start: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What comes of a batch."""

    seconds: float  # from the first start to the last file
    burst: int  # files that the budget lets go before it makes one wait
    strains: tuple[Strain, ...]

    @property
    def rate(self) -> float:
        """Files per second in the long run."""
        return min(strain.rate for strain in self.strains)

    @property
    def bound(self) -> Bound:
        """The limit that decides how long this batch takes."""
        return max(self.strains, key=lambda strain: (strain.last_start, -strain.rate)).bound


def forecast(batch: Batch, allowed: Allowed | None) -> Forecast:
    """Tell how long the batch takes; without a budget only the other limits hold it up."""
    burst = batch.files if allowed is None else min(batch.files, _burst(batch, allowed))
    strains = tuple(_strains(batch, allowed, burst))
    # Limits that bite at different times add up to little more than the worst alone.
    last = max(strain.last_start for strain in strains)
    return Forecast(last + batch.duration, burst, strains)


def _strains(batch: Batch, allowed: Allowed | None, burst: int) -> list[Strain]:
    last, sources = batch.files - 1, batch.sources
    found = [_in_turns(Bound.SESSIONS, last, batch.sessions, batch.duration)]
    if batch.transfers is not None:
        width = batch.transfers * sources
        found.append(_in_turns(Bound.CLASS_TRANSFERS, last, width, batch.duration))
    if batch.transfers_per_minute is not None:
        width = batch.transfers_per_minute * sources
        found.append(_in_turns(Bound.CLASS_RATE, last, width, MINUTE))
    if allowed is not None:
        found.append(_by_budget(batch, allowed, burst))
    return found


def _in_turns(bound: Bound, last: int, width: int, period: float) -> Strain:
    """`width` files at a time, and so many again after each period."""
    return Strain(bound, width / period, last // width * period)


def _by_budget(batch: Batch, allowed: Allowed, burst: int) -> Strain:
    slots, last = allowed.slots, batch.files - 1
    period = batch.duration + allowed.hold  # how long each file uses its slot
    if not allowed.is_paced:
        # Whoever has the pace to fill the budget waits for the rest of the period; who has not
        # fills it more slowly, and each slot comes back that much later too.
        pace = batch.sessions / batch.duration
        start = last // slots * period + min(last % slots / pace, period)
    elif last < burst:
        start = 0.0
    elif last < slots:
        start = (last - burst) * period / slots
    else:
        start = last * period / slots
    return Strain(Bound.BUDGET, slots / period, start)


def _burst(batch: Batch, allowed: Allowed) -> int:
    """n sources that each take no more than what is left free have n / (n + 1) of it together."""
    if not allowed.is_paced:
        return allowed.slots
    return max(1, allowed.slots * batch.sources // (batch.sources + 1))
