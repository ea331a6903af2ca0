"""What one client is told: replies as they are, and each Declined as the one line that explains it.

The line has a reference, and the log has the same. Decides nothing.
"""

from __future__ import annotations

import asyncio

from proxy.ftp.command import COMMANDS, UNKNOWN, Direction, Treatment
from proxy.ftp.dialogue import Dialogue
from proxy.ftp.reply import Reply
from proxy.net.client_channel import ClientChannel
from proxy.refusals import REFUSALS, Declined, Reason, Refusal, Scope

from .chronicle import Chronicle
from .parting import Goodbye
from .shared import Shared

# RFC 959 section 5.4 gives 425 to commands with data only.
WITH_DATA = frozenset({Treatment.TRANSFER, Treatment.DATA_PORT})
# Refusals that need no delay: nobody comes back the sooner for them.
AT_ONCE = frozenset({Reason.IDLE, Reason.DRAINING, Reason.DESCRIPTORS})


class Voice:
    """Speaks to the client of one session; the code of a refusal fits what that is doing."""

    def __init__(
        self, client: ClientChannel, shared: Shared, dialogue: Dialogue, chronicle: Chronicle
    ) -> None:
        self._client = client
        self._shared = shared
        self._dialogue = dialogue
        self._chronicle = chronicle
        self.doing = "greeting"  # then the verb it is at, or "idle"

    def say(self, reply: Reply) -> None:
        """Send a reply."""
        self._client.write(reply.encode())

    async def decline(self, declined: Declined) -> None:
        """Say why not; raise Goodbye when that ends the session."""
        reply = self.explain(declined)
        if reply.code == 421:
            raise await self.goodbye(declined, reply)
        await asyncio.sleep(self._shared.manners.refusal_delay)
        self.say(reply)

    async def goodbye(self, declined: Declined, reply: Reply | None = None) -> Goodbye:
        """Word a refusal that ends the session; late, for some hammer (docs/CLIENTS.md)."""
        reply = reply or self.explain(declined)
        if declined.reason not in AT_ONCE:
            await asyncio.sleep(self._shared.manners.refusal_delay)
        return Goodbye(declined.reason.value, reply)

    def explain(self, declined: Declined, preliminary_sent: bool = False) -> Reply:
        """Return the reply that explains it, and announce it."""
        refusal = Refusal(
            declined.reason,
            self._shared.new_ref(),
            used=declined.used,
            limit=declined.limit,
            who=declined.who,
            retry=declined.retry,
            words=declined.words,
            waited=declined.waited,
            scope=self._scope(declined),
            setting=declined.setting,
        )
        rule = COMMANDS.get(self.doing, UNKNOWN)
        later = self._shared.manners.transfer_code if rule.treatment in WITH_DATA else 451
        is_listing = rule.direction is Direction.LISTING
        code = refusal.code(later, preliminary_sent=preliminary_sent, listing=is_listing)
        sentence = refusal.sentence()
        self._chronicle.refused(declined.reason, code, sentence, refusal.ref)
        return Reply.of(code, sentence)

    def _scope(self, declined: Declined) -> Scope:
        """Once logged in, a client keeps its session through anything that may pass."""
        if declined.ends_session or not self._dialogue.is_logged_in:
            return Scope.SESSION
        return REFUSALS[declined.reason].scope
