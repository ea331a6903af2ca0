"""One thing that several instances share: between who uses it here and who tells the store."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Final, Protocol

from proxy.shaping.stake import Claim, Stake, Wish

MILLISECONDS: Final = 1000


class Teller(Protocol):
    """Who does the talking with the store."""

    def begin(self, share: Share) -> None:
        """Tell the store of it from now on."""
        ...

    def ask(self, share: Share) -> None:
        """Somebody would have more of it than is allowed: ask soon."""
        ...

    def drop(self, share: Share) -> None:
        """Tell no more of it: it is over."""
        ...


class Share:
    """Our stake in one thing; `key` is its name in the store. Seconds for times."""

    def __init__(
        self,
        key: str,
        stake: Stake,
        teller: Teller,
        *,
        hold: float,
        recovery: float = 0.0,
        way: str = "",
        is_brief: bool = False,
    ) -> None:
        self.key = key
        self.stake = stake
        self.hold = hold  # for so long what has ended still counts
        self.way = way
        self.is_brief = is_brief  # one of many, which come and go
        self.setting = ""  # where its limit stands, if all should go by the same
        self.has_lower = False  # another instance goes by a lower limit
        self.due = -inf  # when (on the clock) it is to be told next
        self._teller = teller
        self._recovery = recovery  # nothing is dealt out for so long by a store without memory
        self.wish: Callable[[], Wish] = lambda: Wish(0, 0, 0)
        self.hear: Callable[[], None] = lambda: None
        self.remaining: Callable[[], float] = lambda: 0.0

    def serve(
        self, wish: Callable[[], Wish], hear: Callable[[], None], remaining: Callable[[], float]
    ) -> None:
        """Let `wish` tell what is used and needed, and `hear` be called with each answer;
        `remaining` tells for how long something still counts if nothing is begun any more."""
        self.wish, self.hear, self.remaining = wish, hear, remaining

    def begin(self) -> None:
        """Have the store told of it: it is in use."""
        self._teller.begin(self)

    def ask(self) -> None:
        """Have the store asked for more, soon."""
        self._teller.ask(self)

    def drop(self) -> None:
        """It is over."""
        self._teller.drop(self)

    def numbers(self, claim: Claim) -> list[str | float]:
        """Write the claim as the script reads it."""
        return [
            round(self._recovery * MILLISECONDS),
            round(self.hold * MILLISECONDS),
            *(claim.limit, claim.used, claim.keep, claim.need, claim.weight),
        ]
