"""Whether one of several servers answers, as dials tell. Pure: `now` is an argument. Seconds.

Traffic proves health: a server that is up is never asked. One that is down is asked now and then,
and used again once it has been well for `failback`, so that a failing one is not taken up too soon.
"""

from __future__ import annotations

FIRST_REST, LONGEST_REST = 1.0, 15.0  # between two questions to a server that is down


class Health:
    """One server's health."""

    def __init__(self, failback: float) -> None:
        self.failback = failback
        self.failed_at = float("-inf")
        self.ask_at = 0.0  # when a server that is down may be asked again
        self._down_since: float | None = None
        self._well_since: float | None = None
        self._rest = FIRST_REST

    @property
    def is_up(self) -> bool:
        """Tell whether it may be used."""
        return self._down_since is None

    def down_for(self, now: float) -> float | None:
        """Return for how long it has been down; None: it is up."""
        return None if self._down_since is None else now - self._down_since

    def failed(self, now: float) -> bool:
        """It did not answer; True: until now it was up."""
        was_up = self.is_up
        if was_up:
            self._down_since, self._rest = now, FIRST_REST
        elif now >= self.ask_at:  # many may have failed at once: that is one failure
            self._rest = min(2 * self._rest, LONGEST_REST)
        self.failed_at = now
        self._well_since = None
        self.ask_at = now + self._rest
        return was_up

    def answered(self, now: float, *, is_needed: bool) -> float | None:
        """It did answer; return for how long it was down, if it is up again with this.

        One that `is_needed`, because no other is up, is up at once.
        """
        if self._down_since is None:
            return None
        if self._well_since is None:
            self._well_since = now
        if not is_needed and now < self._well_since + self.failback:
            self.ask_at = self._well_since + self.failback
            return None
        away = now - self._down_since
        self._down_since = self._well_since = None
        return away
