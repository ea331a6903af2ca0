"""The shared store as one instance sees it: tells what it holds, learns what it may hold.

One task does all the talking, one call for everything at a time. Nobody who decides waits for it:
what may be used is always known here, and news is told when it comes.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from proxy.events import Announce, StoreBack, StoreLost
from proxy.shaping.stake import Award, Claim, Stake, Terms, Wish

from .engine import Unreachable

HEARTBEAT: Final = 1.0  # seconds between two calls when nothing is awaited
POLL: Final = 0.1  # while we need more, or others need what we give back
CLOSE_PATIENCE: Final = 2.0
MILLISECONDS: Final = 1000


class Engine(Protocol):
    """What runs the script: Redis, or a simulation of it."""

    async def settle(self, keys: list[str], arguments: list[str | float]) -> list[tuple[int, ...]]:
        """Return one row of numbers for each key; raise Unreachable."""
        ...

    async def close(self) -> None:
        """Hang up."""
        ...


@dataclass(eq=False)
class Share:
    """One shared thing: our stake, who knows what is used and needed, and who hears of news."""

    key: str
    stake: Stake
    hold: float  # seconds for which what has ended still counts
    recovery: float  # seconds for which nothing is dealt out after the store has lost its memory
    ask: Callable[[], None]  # to be called when somebody would have more than is allowed
    report: Callable[[], Wish] = field(default=lambda: Wish(0, 0, 0))
    on_news: Callable[[], None] = field(default=lambda: None)
    # Seconds for which something still counts, if nothing is begun any more.
    remaining: Callable[[], float] = field(default=lambda: 0.0)

    def numbers(self, claim: Claim, hold: float) -> list[str | float]:
        """Write the claim as the script reads it."""
        return [
            round(self.recovery * MILLISECONDS),
            round(hold * MILLISECONDS),
            *(claim.limit, claim.used, claim.keep, claim.need, claim.weight),
        ]


class SharedStore:
    """All that this instance shares with others under one name."""

    def __init__(
        self,
        engine: Engine,
        group: str,
        terms: Terms,
        *,
        recovery: float,
        clock: Callable[[], float],
        announce: Announce,
    ) -> None:
        self._engine = engine
        self._prefix = f"ftpweir:1:{{{group}}}"
        self.terms = terms
        self._recovery = recovery
        self._clock = clock
        self._announce = announce
        # Never used again: after a crash the old name's part is free when its lease is over.
        self._instance = secrets.token_hex(8)
        self._serial = 0
        self._shares: list[Share] = []
        self._asked = asyncio.Event()
        self._lost_at: float | None = None
        self._is_cut_off = False
        self.on_cut_off: Callable[[], None] = lambda: None
        self.calls = 0
        self.failures = 0

    def share(self, name: str, stake: Stake, *, hold: float) -> Share:
        """Begin to share a thing; all instances call it by the same name."""
        share = Share(f"{self._prefix}:{name}", stake, hold, self._recovery, self._asked.set)
        self._shares.append(share)
        return share

    @property
    def is_lost(self) -> bool:
        """Tell whether the last call failed."""
        return self._lost_at is not None

    async def run(self) -> None:
        """Keep in touch, for ever."""
        while True:
            await self.talk()
            await self._pause()

    async def talk(self) -> None:
        """Make one call, and tell whom it concerns."""
        self._asked.clear()
        asked_at = self._clock()
        claims = [share.stake.claim(share.report(), asked_at) for share in self._shares]
        try:
            awards = await self._settle(claims, self.terms.lease)
        except Unreachable as problem:
            self._was_lost(str(problem))
        else:
            self._was_found()
            for share, claim, award in zip(self._shares, claims, awards, strict=True):
                share.stake.awarded(award, claim, asked_at)
        for share in self._shares:
            share.on_news()

    async def leave(self) -> None:
        """Say goodbye: what still cools counts as long as it must, and no longer."""
        now = self._clock()
        claims = [share.stake.claim(share.report(), now) for share in self._shares]
        try:
            async with asyncio.timeout(CLOSE_PATIENCE):
                await self._settle(claims, 0.0, [share.remaining() for share in self._shares])
        except (Unreachable, TimeoutError):
            pass  # then it counts until the lease is over
        finally:
            await self._engine.close()

    async def _settle(
        self, claims: list[Claim], lease: float, holds: list[float] | None = None
    ) -> list[Award]:
        self._serial += 1
        self.calls += 1
        arguments: list[str | float] = [self._instance, self._serial, round(lease * MILLISECONDS)]
        holds = holds or [share.hold for share in self._shares]
        for share, claim, hold in zip(self._shares, claims, holds, strict=True):
            arguments += share.numbers(claim, hold)
        rows = await self._engine.settle([share.key for share in self._shares], arguments)
        if any(len(row) != len(Award.__match_args__) or min(row) < 0 for row in rows):
            raise Unreachable("an answer that makes no sense")
        return [Award(*row) for row in rows]

    async def _pause(self) -> None:
        """Wait until the next call is due, or somebody asks for what was not asked yet."""
        now = self._clock()
        urgent = self.is_lost or any(share.stake.is_urgent(now) for share in self._shares)
        due = now + min(POLL if urgent else HEARTBEAT, self.terms.lease / 3)
        while (left := due - self._clock()) > 0:
            try:
                async with asyncio.timeout(left):
                    await self._asked.wait()
            except TimeoutError:
                return
            self._asked.clear()
            if any(share.stake.has_risen(share.report()) for share in self._shares):
                return

    def _was_lost(self, why: str) -> None:
        now = self._clock()
        self.failures += 1
        for share in self._shares:
            share.stake.lost()
        if self._lost_at is None:
            self._lost_at = now
            self._announce(StoreLost(why, self.terms.lost.value))
        if not self._is_cut_off and not any(share.stake.is_valid(now) for share in self._shares):
            self._is_cut_off = True
            self.on_cut_off()

    def _was_found(self) -> None:
        self._is_cut_off = False
        if self._lost_at is not None:
            self._announce(StoreBack(self._clock() - self._lost_at))
            self._lost_at = None
