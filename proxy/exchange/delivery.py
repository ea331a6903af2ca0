"""The data exchange of a listing that needs no server: what is here already goes to the client."""

from __future__ import annotations

from collections.abc import Callable

from proxy.ftp.reply import Reply
from proxy.net.data import DataEnd
from proxy.net.memory import Remembered
from proxy.net.relay import End, Relay
from proxy.net.throttle import Tap
from proxy.refusals import Declined, Reason

from .rules import ExchangeRules

CLIENT_CLOSED = Reply.of(426, "Your side closed the data connection; transfer aborted.")
CLIENT_CUT = Reply.of(426, "Your side ended the data connection without TLS close_notify.")
_OPENING = Reply.of(150, "Here comes the directory listing.")
_DONE = Reply.of(226, "Directory listing sent.")


class Delivery:
    """Sends what is here already; has the face of an Exchange, and ends as one does."""

    ending = None
    is_delivered = False

    def __init__(
        self,
        content: bytes,
        rules: ExchangeRules,
        *,
        open_client: Callable[[], DataEnd],
        preliminary: Callable[[Reply], None],
        flush: Callable[[], None],
        open_tap: Callable[[], Tap | None],
    ) -> None:
        self._content = content
        self._rules = rules
        self._open_client = open_client
        self._preliminary = preliminary
        self._flush = flush
        self._open_tap = open_tap
        self.moved = 0

    async def run(self) -> Reply:
        """Open the client's data connection, send, and return the final reply."""
        rules = self._rules
        self._preliminary(_OPENING)
        client = self._open_client()
        try:
            if not client.was_opened:
                self._flush()
            try:
                sock = await client.wait(rules.connect)
            except OSError as problem:
                raise Declined.for_want_of_data(Reason.CLIENT_DATA, problem) from None
            if rules.dscp is not None:
                client.mark(rules.dscp)
            with Remembered(self._content) as source:
                relay = Relay(source, sock, stall=rules.stall, splice=False, tap=self._open_tap())
                try:
                    end = await relay.run()
                finally:
                    self.moved = relay.moved
            if end is End.STALLED:
                raise Declined(Reason.STALLED, limit=round(rules.stall))
            if end is not End.SOURCE_ENDED:
                return CLIENT_CLOSED
            client.finish()
            return _DONE
        finally:
            client.reset()
