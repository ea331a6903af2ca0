"""What one server does at the end of a download: learned from it, never assumed. Times in seconds.

Only asked where downloads end by reset (`budget.close: reset`). Most servers send their final reply
as soon as the last byte is acknowledged; proftpd first shuts down its side and waits, up to 10 s,
for ours (measured).
"""

from __future__ import annotations

from proxy.net.custom import Custom

from .vigilance import Vigilance

LEAST_PATIENCE = 0.1
MOST_PATIENCE = 2.0


class Habits:
    """One server's habits; shared by all sessions with it."""

    def __init__(self) -> None:
        self._round_trip = 0.0
        self.waits_for_close = False
        self.is_prompt = False  # a final reply came before our close
        self.bears_reset = True
        self.resets = 0
        self.harmed = 0
        self.vigilance = Vigilance()
        self.upload_vigilance = Vigilance()
        self.goodbyes = Custom()
        self.resumptions = Custom()

    def saw_round_trip(self, duration: float) -> None:
        """Learn from the time between a command and its reply."""
        if not self._round_trip:
            self._round_trip = duration
        self._round_trip += 0.1 * (duration - self._round_trip)

    @property
    def patience(self) -> float:
        """How long a final reply may take; a server that needs longer waits for our close."""
        if self.waits_for_close:
            return 0.0
        return min(LEAST_PATIENCE + 3 * self._round_trip, MOST_PATIENCE)

    def kept_us_waiting(self) -> None:
        """No final reply came in that time."""
        self.waits_for_close = True
        self.is_prompt = False

    def took_harm(self) -> None:
        """It answered a reset with an error although every byte had come: FIN from now on."""
        self.harmed += 1
        self.bears_reset = False
