"""What a session with the server still owes to one who has handed it on. Reads no socket."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from proxy.ftp.reply import Reply
from proxy.refusals import Reason

# RFC 959 section 5.4: what ends a transfer that went well.
_ENDS_TRANSFER = frozenset({225, 226, 250})


class Lost(Exception):
    """The session is over; `words` is why: the server's 421, or what became of the connection.

    Empty: it hung up without a word. `refusal` is what a client is to read.
    """

    refusal: ClassVar[Reason] = Reason.UPSTREAM_LOST

    def __init__(self, reason: str, words: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.words = words


class Silent(Lost):
    """The server did not answer in time."""

    refusal = Reason.UPSTREAM_SILENT


class Nonsense(Lost):
    """The server said what is no reply."""


class Due:
    """The final reply of a transfer whose data has all come; nobody need wait for it."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._outcome: asyncio.Future[Reply | Lost] = asyncio.get_running_loop().create_future()

    def settle(self, outcome: Reply | Lost) -> None:
        """The reply has come, or never will."""
        self._outcome.set_result(outcome)

    @property
    def is_settled(self) -> bool:
        """Tell whether the session owes nothing any more."""
        return self._outcome.done()

    async def final(self, patience: float | None = None) -> Reply:
        """Return the reply; raise Lost or Silent. May be asked again after Silent."""
        limit = self._patience if patience is None else patience
        if not self._outcome.done():
            await asyncio.wait({self._outcome}, timeout=limit)
            if not self._outcome.done():
                raise Silent("silent", f"no reply within {limit:g} s")
        outcome = self._outcome.result()
        if isinstance(outcome, Lost):
            raise outcome
        return outcome


def ends_transfer(reply: Reply) -> bool:
    """Tell whether a reply can be the last of a transfer, and no answer to PASV, PORT or NOOP."""
    return reply.code in _ENDS_TRANSFER or reply.is_refusal
