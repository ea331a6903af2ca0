"""How many wait for which scarce things: counts, so that thousands need not be looked at singly.

Never decides who goes first; that is the gate's queue.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from proxy.upstream.egress import Egress
from proxy.upstream.identity import LoginKey

from .request import Scarce


class Demand:
    """The needs of those who wait."""

    def __init__(self, weight: Callable[[], float]) -> None:
        self._waiting: Counter[Scarce] = Counter()
        self._logins: Counter[LoginKey] = Counter()
        self._weight = weight  # of the sources that wait, together

    def joined(self, needs: Scarce, key: LoginKey | None = None) -> None:
        """One more waits for this, with that login."""
        self._waiting[needs] += 1
        if key is not None:
            self._logins[key] += 1

    def left(self, needs: Scarce, key: LoginKey | None = None) -> None:
        """One fewer waits for this."""
        self._waiting[needs] -= 1
        if key is not None:
            self._logins[key] -= 1
            if not self._logins[key]:
                del self._logins[key]

    def is_all_of(self, key: LoginKey) -> bool:
        """Tell whether nobody waits with another login."""
        return len(self._logins) == (key in self._logins)

    def is_servable(self, *, slot: bool, seat: bool, proof: bool) -> bool:
        """Tell whether anybody's needs can be met with what is free: slot, seat, new proof."""
        return any(
            count
            and (slot or not needs.slot)
            and (seat or not needs.seat or (proof and needs.proof_serves))
            for needs, count in self._waiting.items()
        )

    def seats(self) -> tuple[int, float]:
        """How many more sessions with the server could be used now, and for whose weight."""
        return sum(count for needs, count in self._waiting.items() if needs.seat), self._weight()

    def slots(self, egress: Egress) -> tuple[int, float]:
        """How many more slots could be used now: those for sessions, then those for transfers.

        Where there is no session to use them with they would lie idle, while another instance
        might wait for them and hold the session that we wait for.
        """
        alone = sum(n for needs, n in self._waiting.items() if needs.slot and not needs.seat)
        both = sum(n for needs, n in self._waiting.items() if needs.slot and needs.seat)
        places = egress.pool.places
        return places.unfilled + alone + min(both, places.ours), self._weight()
