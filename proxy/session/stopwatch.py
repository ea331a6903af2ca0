"""How long each phase of a transfer takes, over all its attempts. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, repeat
from operator import sub

PHASES = ("queue", "prepare", "open", "data", "final")
_DATA = PHASES.index("data")


class Stopwatch:
    """Runs from its making; each mark ends a phase and begins the next."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._marks = [clock()]
        self._repeated = 0  # phases that an earlier attempt has passed

    @property
    def phase(self) -> str:
        """Which one is running."""
        return PHASES[min(len(self._marks), len(PHASES)) - 1]

    def mark(self) -> None:
        """The phase is over, unless it was so in an earlier attempt."""
        if self._repeated:
            self._repeated -= 1
        else:
            self._marks.append(self._clock())

    def begin_again(self) -> None:
        """Another attempt: until it gets as far, its time belongs to the phase that broke.

        What breaks behind the data, at the final reply, belongs to the data.
        """
        self._repeated = min(len(self._marks) - 1, _DATA)
        del self._marks[self._repeated + 1 :]

    def finish(self) -> None:
        """All is done, and with it the running phase: another attempt had nothing to do."""
        self._repeated = 0
        if len(self._marks) <= len(PHASES):
            self.mark()

    def seconds(self) -> dict[str, float]:
        """Tell how long each phase took; 0 for one that was never over."""
        gaps = map(sub, self._marks[1:], self._marks)
        return dict(zip(PHASES, chain(gaps, repeat(0.0)), strict=False))
