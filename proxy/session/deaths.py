"""Sessions with the server that die under a command: whether another one shall do it, and when."""

from __future__ import annotations

import asyncio

from proxy.refusals import Declined, Reason
from proxy.upstream.session import Lost, Silent

# Seconds. What ended one session mostly ends the others too, as the killing of a server does.
# Within this time their ends have come, and none of them is lent any more.
ENDS_TOGETHER = 0.05


async def outlive(lost: Lost, deaths: int, *, most: int = 1, silence_counts: bool = False) -> int:
    """Return how many sessions a command has lost by now, once another may be borrowed for it.

    Raise Declined if none shall be: it was the last of `most`, or fell silent, so that it may still
    be at it. `silence_counts` as a death where it was asked what takes no time.
    """
    is_death = silence_counts or not isinstance(lost, Silent)
    if not is_death or deaths >= most:
        raise explain_lost(lost) from None
    await asyncio.sleep(ENDS_TOGETHER)
    return deaths + 1


def explain_lost(lost: Lost) -> Declined:
    """Word it for the client, in the server's own words if there are any."""
    return Declined(lost.refusal, words=lost.words)


def explain_declined(declined: Declined, death: Declined | None) -> Declined:
    """Blame the death of a session, not the others' number, for the time that is used up."""
    if death is not None and declined.reason is Reason.UPSTREAM_SESSIONS:
        return death
    return declined
