"""The group of instances that this one belongs to: which things they share, by which names.

Without a store there is no group: nothing is shared, and nobody below notices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from proxy.config import Config
from proxy.events import Announce
from proxy.shaping.stake import OnStoreDown, Stake, Terms

from .share import Share
from .shared import SharedStore

# A server forgets a session soon after its socket is gone.
SEAT_HOLD: Final = 1.0


class Group:
    """What the configuration says of sharing, made to work.

    `cut` ends every connection; called, if so configured, when the lease ends without the store.
    """

    def __init__(
        self,
        config: Config,
        *,
        clock: Callable[[], float],
        announce: Announce,
        cut: Callable[[], None],
    ) -> None:
        self._config = config
        self.store: SharedStore | None = None
        if config.store is not None:
            # Imported only here: most instances are alone, and it takes as long as all the rest.
            from .engine import Engine

            sharing, upstream = config.sharing, config.upstream
            self.store = SharedStore(
                Engine(config.store),
                sharing.group or f"{upstream.host}:{upstream.port}",
                Terms(sharing.lease, OnStoreDown(sharing.on_store_down)),
                recovery=sharing.recovery,
                clock=clock,
                announce=announce,
                cut_off=cut if sharing.on_partition == "abort" else _let_go_on,
            )

    @property
    def settled(self) -> Mapping[str, str]:
        """Which keys of the top level a start settles, and why."""
        if self.store is None or self._config.sharing.group:
            return {}
        why = "the instances find each other by it, for sharing.group is auto"
        return {"upstream.host": why, "upstream.port": why}

    def slots(self, way: str) -> Share | None:
        """Share the budget of one way to a server."""
        if self.store is None:
            return None
        sharing = self._config.sharing
        stake = Stake(self.store.terms, floor=sharing.floor, instances=sharing.instances)
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
