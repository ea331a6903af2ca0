"""Sessions with the server that die under a command: whether another one shall do it, and when."""

from __future__ import annotations

import asyncio

from proxy.refusals import Declined, Reason
from proxy.upstream.session import Lost, Silent

# Seconds. What ended one session mostly ends the others too, as the killing of a server does.
# Within this time their ends have come, and none of them is lent any more.
ENDS_TOGETHER = 0.05


class Deaths:
    """Those under one command, of which nothing was done yet that must not be done twice.

    `most` of them are outlived. One that falls silent may still be at it: that is the end, unless
    `silence_counts` as a death, for it was asked what takes no time.
    """

    def __init__(self, most: int, *, silence_counts: bool = False) -> None:
        self._left = most
        self._silence_counts = silence_counts

    async def outlive(self, lost: Lost) -> None:
        """Return when another session may be borrowed; raise Declined if none shall be."""
        is_death = self._silence_counts or not isinstance(lost, Silent)
        if not (is_death and self._left):
            raise explain_lost(lost) from None
        self._left -= 1
        await asyncio.sleep(ENDS_TOGETHER)


def explain_lost(lost: Lost) -> Declined:
    """Word it for the client, in the server's own words if there are any."""
    reason = Reason.UPSTREAM_SILENT if isinstance(lost, Silent) else Reason.UPSTREAM_LOST
    return Declined(reason, words=lost.words)
