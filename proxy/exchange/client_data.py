"""The data connection with the client for one transfer: one, however often the server's breaks."""

from __future__ import annotations

from collections.abc import Callable

from proxy.net.custom import Custom
from proxy.net.data import DataEnd, Stream
from proxy.refusals import Declined, Reason

from .rules import ExchangeRules


class ClientData:
    """Opened by `open`; gone when `finish` or `close` has been called.

    `begin` makes the connection; `flush` sends at once what the client is still to be told.
    """

    def __init__(
        self,
        begin: Callable[[], DataEnd],
        flush: Callable[[], None],
        goodbyes: Custom,
        rules: ExchangeRules,
    ) -> None:
        self._begin = begin
        self._flush = flush
        self._goodbyes = goodbyes
        self._rules = rules
        self._end: DataEnd | None = None

    @property
    def was_begun(self) -> bool:
        """Tell whether `open` has been called."""
        return self._end is not None

    def open(self) -> None:
        """Begin to open it, unless an earlier attempt has."""
        if self._end is None:
            self._end = self._begin()
        if not self._end.was_opened:
            self._flush()  # it may be waiting for the 150 before it connects

    async def wait(self) -> Stream:
        """Return the open connection; raise Declined when there will be none."""
        assert self._end is not None
        try:
            stream = await self._end.wait(self._rules.connect)
        except OSError as problem:
            raise Declined.for_want_of_data(Reason.CLIENT_DATA, problem) from None
        if self._rules.dscp is not None:
            self._end.mark(self._rules.dscp)
        return stream

    def accepts_end(self) -> bool:
        """Tell whether the client has ended it as it always does: with close_notify, or never."""
        assert self._end is not None
        return self._goodbyes.accept(self._end.goodbye)

    def finish(self) -> None:
        """End in peace."""
        assert self._end is not None
        self._end.finish()

    def close(self) -> None:
        """End it, by RST unless it has ended in peace."""
        if self._end is not None:
            self._end.reset()
