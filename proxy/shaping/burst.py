"""How much of the free budget one source may take at once, and how fast it may go beyond that.

A slot is not given back before its hold is over, so a fair queue alone comes too late: who bursts
first owns the budget for minutes. Two parts: a threshold that moves with what is free (n greedy
sources leave 1 / (1 + n * alpha) of the budget to newcomers), and above it one pacer for all, at
the pace at which slots come free in the long run, so nothing is wasted.
Pure. It limits nobody for the firewall's sake: never exceeding the budget is the ledger's job.
"""

from __future__ import annotations

from math import inf


class Burst:
    """The threshold of one budget, and the pacer its sources share above it.

    Both methods take the same numbers, from before the slot is reserved: the slots `held` by the
    source, and those `used` of the budget's `limit`.
    """

    def __init__(self, alpha: float = 1.0) -> None:
        if alpha <= 0:
            raise ValueError(f"alpha is above 0, not {alpha}")
        self._alpha = alpha
        self._next = -inf

    def wait(self, held: int, used: int, limit: int, now: float) -> float:
        """Tell in how many seconds the source may go on; 0.0 means now."""
        if self._is_below(held, used, limit):
            return 0.0
        return max(0.0, self._next - now)

    def took(self, held: int, used: int, limit: int, now: float, interval: float) -> None:
        """Record a start. `interval` is the steady pace: (D + T) / B, mean use over budget."""
        if self._is_below(held, used, limit):
            return
        # Counted from when the turn was due, so that late timers do not slow the pace; what was
        # missed beyond one interval is gone, else a quiet hour would end in a burst.
        self._next = max(self._next + interval, now)

    def _is_below(self, held: int, used: int, limit: int) -> bool:
        return held < self._alpha * (limit - used)
