"""Wrong passwords: counted per session and per source, answered late, and at last not at all."""

from __future__ import annotations

import asyncio

from proxy import events
from proxy.ftp.reply import Reply
from proxy.refusals import Declined, Reason

from .shared import Shared

# A source may fail this many sessions' worth before the server is not even asked any more.
SESSIONS_WORTH = 3


class LoginAttempts:
    """The failed logins of one session, and through `shared` those of its source."""

    def __init__(self, shared: Shared, session: str, host: str) -> None:
        self._shared = shared
        self._session = session
        self._host = host
        self._failed_here = 0

    def check(self) -> None:
        """Raise Declined for a source that has guessed too often lately."""
        attempts, now = self._shared.attempts, self._shared.clock()
        limit = SESSIONS_WORTH * self._shared.manners.login_attempts
        count = attempts.count(self._host, now)
        if count >= limit:
            retry = attempts.forgotten_in(self._host, now)
            raise Declined(
                Reason.LOGIN_FAILURES, used=count, limit=limit, who=self._host, retry=retry
            )

    async def failed(self, user: str, reply: Reply, asked_at: float) -> None:
        """Count a failure and wait (RFC 2577 section 5: guessing must be slow) until login.delay
        has passed since the server was asked; raise Declined when the session has had its share."""
        shared = self._shared
        shared.attempts.failed(self._host, shared.clock())
        shared.announce(events.LoginFailed(self._session, self._host, user, reply.words))
        self._failed_here += 1
        await asyncio.sleep(asked_at + shared.manners.login_delay - shared.clock())
        limit = shared.manners.login_attempts
        if self._failed_here >= limit:
            raise Declined(
                Reason.LOGIN_FAILURES, used=self._failed_here, limit=limit, who=self._host
            )

    def succeeded(self) -> None:
        """Forgive the source: somebody there knows the password."""
        self._shared.attempts.succeeded(self._host)
