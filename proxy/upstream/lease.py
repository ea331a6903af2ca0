"""A lease: one upstream session, lent to one client for one command or for as long as it needs."""

from __future__ import annotations

from collections.abc import Callable

from proxy.ftp.command import Needs
from proxy.ftp.facts import ServerFacts
from proxy.ftp.reply import Reply
from proxy.ftp.virtual import State, replay

from .due import Due
from .session import UpstreamSession


class Lease:
    """Holds an upstream session until `release`; what is still owed then is the pool's matter."""

    def __init__(
        self,
        session: UpstreamSession,
        facts: ServerFacts | None,
        leave: Callable[[Due | None], None],
        hand_on: Callable[[], Due | None],
    ) -> None:
        self.session = session
        self._facts = facts
        self._leave: Callable[[Due | None], None] | None = leave
        self._hand_on = hand_on
        self._due: Due | None = None

    async def restore(self, wanted: State, needs: Needs) -> Reply | None:
        """Make the client's state true on the server; return the server's refusal if it refuses.

        Each success is seen before the next command is sent: nothing that changes files may run
        behind a CWD that failed.
        """
        session = self.session
        if session.state == wanted:
            return None
        defaults = self._facts.option_defaults if self._facts is not None else {}
        for step in replay(session.state, wanted, needs, defaults):
            step.doubt(session.state)  # who breaks us off here must not leave a wrong belief
            reply = await session.ask(step.line)
            if reply.is_success or step.may_fail:
                step.apply(session.state)
            else:
                return reply
        return None

    def hand_on(self) -> UpstreamSession | Due:
        """Only a final reply is missing: let the next have the session; return who will tell it."""
        if self._leave is not None and self._due is None:
            self._due = self._hand_on()
        return self._due or self.session

    def release(self) -> None:
        """Give the session back, if it is still ours; a second call does nothing."""
        leave, self._leave = self._leave, None
        if leave is not None:
            leave(self._due)
