"""What one source may do by the rules of its class: sessions, transfers, and starts per minute.

Counts and a log of starts; a start per minute is exact, at most n in any 60 seconds. Pure: `now`
is an argument. It knows nothing of the budget, of other sources, or of who waits.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

# A class and a source: two classes that hold the same address are metered apart.
Key = tuple[str, str]

MINUTE: Final = 60.0

# Forgetting costs a walk over all meters: not worth it below this many.
FEW: Final = 64


@dataclass(frozen=True, slots=True)
class Limits:
    """The caps of one class for each of its sources. None means no limit."""

    sessions: int | None = None
    transfers: int | None = None
    transfers_per_minute: int | None = None
    weight: float = 1.0
    bandwidth: int | None = None  # bytes per second of all transfers together; see bandwidth.py

    def __post_init__(self) -> None:
        caps = (self.sessions, self.transfers, self.transfers_per_minute, self.bandwidth)
        if any(cap is not None and cap < 1 for cap in caps):
            raise ValueError("a cap is at least 1; None means no limit")
        if self.weight <= 0:
            raise ValueError(f"a weight is above 0, not {self.weight}")


@dataclass(slots=True, eq=False)
class Meter:
    """What one source does now, and when it started its latest transfers."""

    sessions: int = 0
    transfers: int = 0
    _starts: deque[float] = field(default_factory=deque)

    def may_start_transfer(self, limits: Limits, now: float) -> float:
        """Tell in how many seconds the limit per minute allows a start; 0.0 means now."""
        cap = limits.transfers_per_minute
        if cap is None or len(self._starts) < cap:
            return 0.0
        # The window is half open: a start exactly a minute old is no longer in it.
        return max(0.0, self._starts[-cap] + MINUTE - now)

    def starts(self, now: float) -> int:
        """Count the logged starts of the last minute."""
        return sum(1 for start in self._starts if start + MINUTE > now)

    def record_start(self, limits: Limits, now: float) -> None:
        """Log a start; no more are kept than the limit asks for."""
        cap = limits.transfers_per_minute or 0
        self._starts.append(now)
        while len(self._starts) > cap:
            self._starts.popleft()

    def is_blank(self) -> bool:
        """Tell whether forgetting this meter changes nothing, whatever the time."""
        return not (self.sessions or self.transfers or self._starts)

    def is_spent(self, now: float) -> bool:
        """Tell whether nothing is going on and the last minute saw no start."""
        quiet = not self._starts or self._starts[-1] + MINUTE <= now
        return quiet and not (self.sessions or self.transfers)


class Quotas:
    """The meters of all sources; those with nothing to tell are forgotten."""

    def __init__(self) -> None:
        self._meters: dict[Key, Meter] = {}
        self._sweep_at = FEW

    @property
    def known(self) -> int:
        """Count the meters it keeps."""
        return len(self._meters)

    def sessions(self, key: Key) -> int:
        """Count the sessions of a source."""
        meter = self._meters.get(key)
        return meter.sessions if meter else 0

    def transfers(self, key: Key) -> int:
        """Count the running transfers of a source."""
        meter = self._meters.get(key)
        return meter.transfers if meter else 0

    def starts(self, key: Key, now: float) -> int:
        """Count the transfers that a source started in the last minute, where a cap logs them."""
        meter = self._meters.get(key)
        return meter.starts(now) if meter else 0

    def enter_session(self, key: Key, limits: Limits) -> bool:
        """Count a new session in. False means the source has as many as it may."""
        if limits.sessions is not None and self.sessions(key) >= limits.sessions:
            return False
        self._meters.setdefault(key, Meter()).sessions += 1
        return True

    def leave_session(self, key: Key) -> None:
        """Count a session out. ValueError if none was counted in."""
        if not self.sessions(key):
            raise ValueError(f"{key} has no session to leave")
        self._meters[key].sessions -= 1
        self._forget_blank(key)

    def transfer_wait(self, key: Key, limits: Limits, now: float) -> float | None:
        """Tell in how many seconds a transfer may start; 0.0 means now.

        None means that one of its running transfers has to end first.
        """
        meter = self._meters.get(key)
        if meter is None:
            return 0.0
        if limits.transfers is not None and meter.transfers >= limits.transfers:
            return None
        return meter.may_start_transfer(limits, now)

    def start_transfer(self, key: Key, limits: Limits, now: float) -> None:
        """Count a transfer in, whether or not there was leave to: ask `transfer_wait` first."""
        self._forget_spent(now)
        meter = self._meters.get(key)
        if meter is None:
            meter = self._meters[key] = Meter()
        meter.transfers += 1
        meter.record_start(limits, now)

    def end_transfer(self, key: Key) -> None:
        """Count a transfer out. ValueError if none was counted in."""
        if not self.transfers(key):
            raise ValueError(f"{key} has no transfer to end")
        self._meters[key].transfers -= 1
        self._forget_blank(key)

    def _forget_blank(self, key: Key) -> None:
        if self._meters[key].is_blank():
            del self._meters[key]

    def _forget_spent(self, now: float) -> None:
        """Drop meters whose log has aged out; each doubling of the meters pays one walk."""
        if len(self._meters) < self._sweep_at:
            return
        self._meters = {
            key: meter for key, meter in self._meters.items() if not meter.is_spent(now)
        }
        self._sweep_at = max(FEW, 2 * len(self._meters))
