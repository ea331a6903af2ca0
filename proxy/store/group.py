"""The group of instances that this one belongs to: which things they share, by which names.

Without a store there is no group: nothing is shared, and nobody below notices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from proxy.events import Announce
from proxy.shaping.stake import Stake, Terms

from .share import Share
from .shared import SharedStore

# A server forgets a session soon after its socket is gone.
SEAT_HOLD: Final = 1.0


@dataclass(frozen=True, slots=True)
class Membership:
    """How this instance takes part in a group. Seconds."""

    store: str = field(repr=False)  # its URL, which may hold a password
    group: str  # by this name the instances find each other
    terms: Terms
    recovery: float  # of a store that is empty, or was restarted
    floor: int  # slots that are this instance's whatever happens
    instances: int  # at most
    cuts: bool  # connections do not outlast a lease that ended without the store


class Group:
    """The group that others may belong to as well; without a membership there is none.

    `cut` ends every connection; called, if so configured, when the lease ends without the store.
    """

    def __init__(
        self,
        membership: Membership | None,
        *,
        clock: Callable[[], float],
        announce: Announce,
        cut: Callable[[], None],
    ) -> None:
        self._membership = membership
        self.store: SharedStore | None = None
        if membership is not None:
            # Imported only here: most instances are alone, and it takes as long as all the rest.
            from .engine import Engine

            self.store = SharedStore(
                Engine(membership.store),
                membership.group,
                membership.terms,
                recovery=membership.recovery,
                clock=clock,
                announce=announce,
                cut_off=cut if membership.cuts else _let_go_on,
            )

    def slots(self, way: str) -> Share | None:
        """Share the budget of one way to a server."""
        member = self._membership
        if self.store is None or member is None:
            return None
        stake = Stake(member.terms, floor=member.floor, instances=member.instances)
        return self.store.share("slots", stake, hold=0.0, way=way)  # the hold: the budget's to tell

    def seats(self, way: str) -> Share | None:
        """Share the sessions that a server allows one egress address."""
        if self.store is None:
            return None
        return self.store.share("seats", Stake(self.store.terms), hold=SEAT_HOLD, way=way)

    async def keep_in_touch(self) -> None:
        """Tell and ask the store, for ever."""
        if self.store is not None:
            await self.store.run()

    async def leave(self) -> None:
        """Give back what is ours."""
        if self.store is not None:
            await self.store.leave()


def _let_go_on() -> None:
    """What is open stays open, though others may use our part by now."""
