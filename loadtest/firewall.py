"""What a firewall counts: connections that are open, and closed ones until their hold is over.

Counts like conntrack, or like a scanner of the server's socket table: TIME_WAIT included. All
scripts stand behind one address, as those of one site do. Pure: `now` is an argument.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

FINEST = 0.01  # seconds; of the counts in one such moment the history keeps the largest


@dataclass(frozen=True, slots=True)
class Violation:
    """A connection that was one too many."""

    moment: float
    counted: int
    what: str


@dataclass(slots=True)
class Firewall:
    """One counter. Without a limit it only counts; without a ban it only notes."""

    limit: int | None
    hold: float
    ban: float | None = None
    most: int = 0
    sessions_most: int = 0
    opened_in_all: int = 0
    banned_until: float = 0.0
    violations: list[Violation] = field(default_factory=list)
    history: list[tuple[float, int]] = field(default_factory=list)
    _open: int = 0
    _sessions: int = 0
    _cooling: deque[float] = field(default_factory=deque)

    def opened(self, what: str, now: float) -> bool:
        """Count a connection; False means it must be dropped without a word."""
        if now < self.banned_until:
            return False
        self._open += 1
        self.opened_in_all += 1
        if what == "control":
            self._sessions += 1
            self.sessions_most = max(self.sessions_most, self._sessions)
        counted = self.counted(now)
        self.most = max(self.most, counted)
        self._note(now, counted)
        if self.limit is not None and counted > self.limit:
            self.violations.append(Violation(now, counted, what))
            if self.ban is not None:
                self.banned_until = now + self.ban
                return False
        return True

    def closed(self, what: str, now: float) -> None:
        """Let a connection cool: it counts until its hold is over."""
        self._open -= 1
        if what == "control":
            self._sessions -= 1
        self._cooling.append(now + self.hold)
        self._note(now, self.counted(now))

    def counted(self, now: float) -> int:
        """Return what the firewall sees at this moment."""
        while self._cooling and self._cooling[0] <= now:
            self._cooling.popleft()
        return self._open + len(self._cooling)

    def look(self, now: float) -> int:
        """Count and remember, as a scanner does that comes by from time to time."""
        counted = self.counted(now)
        self._note(now, counted)
        return counted

    @property
    def sessions(self) -> int:
        """The control connections that are open."""
        return self._sessions

    def _note(self, now: float, counted: int) -> None:
        if self.history and now - self.history[-1][0] < FINEST:
            moment, before = self.history[-1]
            self.history[-1] = (moment, max(before, counted))
        else:
            self.history.append((now, counted))
