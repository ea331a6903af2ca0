"""Why the server cannot be had just now, and when to ask it again. Pure: `now` is an argument."""

from __future__ import annotations

from collections.abc import Callable

from proxy.net.fault import GONE_SILENT
from proxy.refusals import Reason

from .dial import Busy, DialError, TurnedAway

FIRST_BACKOFF, LONGEST_BACKOFF = 0.25, 15.0
FRESH = 0.5  # seconds for which others are spared an attempt that just failed
ROW = 30.0  # seconds between two failures of one and the same outage


class Troubles:
    """Backs off from a server that is full, and remembers for a moment one that is down."""

    def __init__(self) -> None:
        self._backoff = 0.0
        self._retry_at = 0.0
        self.cause: DialError | None = None  # what a dial met since a session was last had
        self._error: DialError | None = None
        self._error_until = 0.0
        self._down_since = 0.0
        self._passes_until = 0.0  # what may be a restart
        self._tell: Callable[[DialError | None], None] = lambda problem: None

    def when_dialled(self, tell: Callable[[DialError | None], None]) -> None:
        """Tell of each dial what it met; None: it went well."""
        self._tell = tell

    def was_full(self, words: str, now: float) -> float:
        """The server would not have one more session; return the seconds to wait."""
        self.cause = Busy(words)
        backoff = self._longer_backoff()
        self._retry_at = now + backoff
        return backoff

    def failed(self, error: DialError, now: float, outage: float) -> float:
        """The server could not be reached; return the seconds for which that is believed.

        What befell one login says nothing of others: one user's home may hang. An outage shorter
        than `outage` seconds may just be a restart: the error is marked so. To be turned away costs
        a connection: it is believed for longer each time.
        """
        if error.is_of_login:
            return 0.0
        if error.reason is Reason.DESCRIPTORS:
            error.may_pass = True  # it is we who lack something, until a transfer ends
            return 0.0
        if self._error is None or now > self._error_until + ROW:
            self._down_since = now
        self._passes_until = self._down_since + outage if error.is_outage else 0.0
        error.may_pass = now < self._passes_until
        believed_for = self._longer_backoff() if isinstance(error, TurnedAway) else FRESH
        self.cause = self._error = _untold(error)
        self._error_until = now + believed_for
        self._tell(error)
        return believed_for

    def fell_silent(self) -> None:
        """A session ended because the server acknowledged nothing any more: who chooses among
        several servers should know; here the next dial will tell."""
        self._tell(DialError(Reason.UPSTREAM_SILENT, GONE_SILENT.words))

    def are_over(self) -> None:
        """A session was had: begin with short waits again."""
        self._forget()
        self._tell(None)

    def turn_to_another(self) -> None:
        """Another server takes its place, of which nothing is known."""
        self._forget()
        self._retry_at = 0.0

    def retry_at(self, now: float) -> float | None:
        """When the server may be asked for a session again; None: now."""
        is_spared = self._error is not None and self._error_until > self._retry_at
        moment = self._error_until if is_spared else self._retry_at
        return moment if moment > now else None

    def error(self, now: float) -> DialError | None:
        """Return a new copy of the error just met, while it is fresh."""
        if self._error is None or now >= self._error_until:
            return None
        again = _untold(self._error)
        again.may_pass = now < self._passes_until
        return again

    def _longer_backoff(self) -> float:
        self._backoff = min(max(FIRST_BACKOFF, 2 * self._backoff), LONGEST_BACKOFF)
        return self._backoff

    def _forget(self) -> None:
        self._backoff = 0.0
        self.cause = self._error = None


def _untold(error: DialError) -> DialError:
    """Return a copy that nobody has raised: a traceback keeps alive whatever was at work there."""
    again = DialError(error.reason, error.words, error.setting)
    again.is_outage, again.may_pass = error.is_outage, error.may_pass
    return again
