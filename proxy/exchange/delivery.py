"""The data exchange of a listing that needs no server: what is here already goes to the client."""

from __future__ import annotations

from collections.abc import Callable

from proxy.ftp.reply import Reply
from proxy.net.data import Stream
from proxy.net.memory import Remembered
from proxy.net.relay import End, Relay
from proxy.net.throttle import Tap
from proxy.refusals import Declined, Reason

from .client_data import ClientData
from .rules import ExchangeRules

CLIENT_CLOSED = Reply.of(426, "Your side closed the data connection; transfer aborted.")
CLIENT_CUT = Reply.of(426, "Your side ended the data connection without TLS close_notify.")
_OPENING = Reply.of(150, "Here comes the directory listing.")
_DONE = Reply.of(226, "Directory listing sent.")


class Delivery:
    """Sends what is here already; has the face of an Exchange, and ends as one does."""

    ending = None
    is_delivered = is_held = False

    def __init__(
        self,
        content: bytes,
        rules: ExchangeRules,
        client: ClientData,
        *,
        preliminary: Callable[[Reply], None],
        open_tap: Callable[[], Tap | None],
    ) -> None:
        self._content = content
        self._rules = rules
        self._client = client
        self._preliminary = preliminary
        self._open_tap = open_tap
        self.moved = 0

    async def run(self) -> Reply:
        """Open the client's data connection, send, and return the final reply."""
        self._preliminary(_OPENING)
        try:
            self._client.open()
            end = await self._send(await self._client.wait())
            if end is End.STALLED:
                raise Declined(Reason.STALLED, limit=round(self._rules.stall))
            if end is not End.SOURCE_ENDED:
                return CLIENT_CLOSED
            self._client.finish()
            return _DONE
        finally:
            self._client.close()

    async def _send(self, client: Stream) -> End:
        with Remembered(self._content) as source:
            stall = self._rules.stall
            relay = Relay(source, client, stall=stall, splice=False, tap=self._open_tap())
            try:
                return await relay.run()
            finally:
                self.moved = relay.moved
