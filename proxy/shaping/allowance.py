"""How many sessions the server allows us: told by the configuration, or learned from its refusals.

Pure: time is an argument. Learning never flaps: a limit just met is believed at once, and trying
for more becomes rarer each time it was in vain, since each try costs the server patience and the
budget a slot.
"""

from __future__ import annotations

AUTO_START = 10  # what is believed before the server has refused anything
FIRST_QUIET = 300.0  # seconds without a refusal before one more session is tried
LONGEST_QUIET = 6 * 3600.0


class Allowance:
    """The present limit; `fixed` None learns it."""

    def __init__(self, fixed: int | None) -> None:
        self._fixed = fixed
        self.limit = fixed or AUTO_START  # how many sessions may be open at once
        self._quiet = FIRST_QUIET
        self._grow_at: float | None = None
        self._is_trying = False  # grown, and not refused since

    def adopt(self, fixed: int | None) -> None:
        """Follow another setting; what was learned is kept while learning goes on."""
        if fixed is not None:
            self.limit = fixed
        elif self._fixed is not None:
            self.limit, self._grow_at = AUTO_START, None
        self._fixed = fixed

    @property
    def is_learned(self) -> bool:
        """Tell whether the limit follows the server's refusals."""
        return self._fixed is None

    def refused(self, others: int, now: float) -> None:
        """The server would not have one more beside `others` sessions of ours."""
        if self._fixed is not None or others < 1:
            # Nothing of ours is there: somebody else behind our address has it all, or the server
            # is ill. That says nothing of the limit.
            return
        # Of many refused in one moment only the first says that the try was in vain.
        if self._is_trying and others >= self.limit - 1:
            self._quiet = min(2 * self._quiet, LONGEST_QUIET)
        self._is_trying = False
        self.limit = min(self.limit, others)
        self._grow_at = now + self._quiet

    def tick(self, now: float) -> bool:
        """Let the limit creep up when it has been quiet long enough; True when it did."""
        if self._grow_at is None or now < self._grow_at or self.limit >= AUTO_START:
            return False
        self.limit += 1
        self._grow_at = now + self._quiet
        self._is_trying = True
        return True
