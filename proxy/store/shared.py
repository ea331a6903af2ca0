"""The shared store as one instance sees it: tells what it holds, learns what it may hold.

One task does all the talking, one call for everything at a time. Nobody who decides waits for it:
what may be used is always known here, and news is told when it comes.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from itertools import islice
from typing import Final, Protocol

from proxy.events import (
    Announce,
    LimitsDiffer,
    StoreBack,
    StoreLost,
    StoreNew,
    StoreUnreadable,
)
from proxy.shaping.stake import POLL, Award, Claim, Stake, Terms

from .share import MILLISECONDS, Share

CLOSE_PATIENCE: Final = 2.0
MOST_AT_ONCE: Final = 100  # brief things in one call: the store serves nobody else meanwhile


class Unreachable(Exception):
    """The store gave no answer, or none that can be used."""


class Engine(Protocol):
    """What runs the script: Redis, or a simulation of it."""

    async def settle(self, keys: list[str], arguments: list[str | float]) -> list[tuple[int, ...]]:
        """Return one row of numbers for each key; raise Unreachable."""
        ...

    async def close(self) -> None:
        """Hang up."""
        ...


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
        cut_off: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._prefix = f"ftpweir:2:{{{group}}}"
        self.terms = terms
        self._recovery = recovery
        self._clock = clock
        self._announce = announce
        # Never used again: after a crash the old name's part is free when its lease is over.
        self._instance = secrets.token_hex(8)
        self._serial = 0
        # In the order in which they began.
        self._lasting: dict[Share, None] = {}
        self._brief: dict[Share, None] = {}
        self._asking: set[Share] = set()
        self._asked = asyncio.Event()
        self._lost_at: float | None = None
        self._was_new = False  # at the last call
        self.is_cut_off = False  # for longer than the lease: nothing of what is shared is ours
        self._cut_off = cut_off
        self.calls = 0
        self.failures = 0
        self.latency: float | None = None  # seconds that the last answer took

    def share(self, name: str, stake: Stake, *, hold: float, way: str = "") -> Share:
        """Make a thing that is shared from its `begin` until it is dropped; all instances call it
        and the way by the same names."""
        key = self._key(f"{name}:{way}" if way else name)
        return Share(key, stake, self, hold=hold, recovery=self._recovery, way=way)

    def share_briefly(self, name: str, stake: Stake, *, hold: float) -> Share:
        """Make a small one of which there are many."""
        return Share(self._key(name), stake, self, hold=hold, is_brief=True)

    def begin(self, share: Share) -> None:
        """Tell of it from now on."""
        self._among(share)[share] = None

    def ask(self, share: Share) -> None:
        """Ask for more of it, soon."""
        self._asking.add(share)
        self._asked.set()

    def drop(self, share: Share) -> None:
        """Tell no more of it."""
        self._among(share).pop(share, None)
        self._asking.discard(share)

    @property
    def is_lost(self) -> bool:
        """Tell whether the last call failed."""
        return self._lost_at is not None

    @property
    def new_for(self) -> float:
        """Seconds for which it deals nothing out: it is new, or has lost its memory."""
        now = self._clock()
        return max((share.stake.deals_nothing_for(now) for share in self._lasting), default=0.0)

    async def run(self) -> None:
        """Keep in touch, for ever."""
        while True:
            await self.talk()
            await self._pause()

    async def talk(self) -> None:
        """Make one call, and tell whom it concerns."""
        self._asked.clear()
        asked_at = self._clock()
        shares = self._whose_turn(asked_at)
        claims = [share.stake.claim(share.wish(), asked_at) for share in shares]
        try:
            awards = await self._settle(shares, claims, self.terms.lease)
        except Unreachable as problem:
            self._was_lost(str(problem))
        else:
            self._was_found()
            self.latency = self._clock() - asked_at
            if rows := sum(award.unreadable for award in awards):
                self._announce(StoreUnreadable(rows))
            self._is_new_for(max((award.recovers for award in awards), default=0) / MILLISECONDS)
            for share, claim, award in zip(shares, claims, awards, strict=True):
                share.stake.awarded(award, claim, asked_at)
                self._compare(share)
        now = self._clock()
        for share in shares:
            share.due = now + min(share.stake.pace(now), self.terms.lease / 3)
            share.hear()

    def _whose_turn(self, now: float) -> list[Share]:
        brief = (share for share in self._brief if share.due <= now or share in self._asking)
        shares = [*self._lasting, *islice(brief, MOST_AT_ONCE)]
        self._asking.difference_update(shares)
        return shares

    async def leave(self) -> None:
        """Say goodbye: what still cools counts as long as it must, and no longer."""
        shares = [*self._lasting, *self._brief]
        try:
            async with asyncio.timeout(CLOSE_PATIENCE):
                for first in range(0, len(shares), MOST_AT_ONCE):
                    some = shares[first : first + MOST_AT_ONCE]
                    for share in some:
                        share.hold = share.remaining()
                    now = self._clock()
                    claims = [share.stake.claim(share.wish(), now) for share in some]
                    await self._settle(some, claims, 0.0)
        except (Unreachable, TimeoutError):
            pass  # then it counts until the lease is over
        finally:
            await self._engine.close()

    def _key(self, name: str) -> str:
        return f"{self._prefix}:{name}"

    def _among(self, share: Share) -> dict[Share, None]:
        return self._brief if share.is_brief else self._lasting

    async def _settle(self, shares: list[Share], claims: list[Claim], lease: float) -> list[Award]:
        self._serial += 1
        self.calls += 1
        words: list[str | float] = [self._instance, self._serial, round(lease * MILLISECONDS)]
        for share, claim in zip(shares, claims, strict=True):
            words += share.numbers(claim)
        rows = await self._engine.settle([share.key for share in shares], words)
        if any(len(row) != len(Award.__match_args__) or min(row) < 0 for row in rows):
            raise Unreachable("an answer that makes no sense")
        return [Award(*row) for row in rows]

    async def _pause(self) -> None:
        """Wait until the next call is due, or somebody asks for what was not asked yet."""
        due = min(share.due for share in (*self._lasting, *self._brief))
        if self.is_lost:
            due = max(due, self._clock() + POLL)
        while (left := due - self._clock()) > 0:
            try:
                async with asyncio.timeout(left):
                    await self._asked.wait()
            except TimeoutError:
                return
            self._asked.clear()
            if any(share.stake.has_risen(share.wish()) for share in self._asking):
                return
            self._asking.clear()

    def _was_lost(self, why: str) -> None:
        now = self._clock()
        self.failures += 1
        for share in (*self._lasting, *self._brief):
            share.stake.lost()
        if self._lost_at is None:
            self._lost_at = now
            self._announce(StoreLost(why, self.terms.lost.value))
        if not self.is_cut_off and not any(share.stake.is_valid(now) for share in self._lasting):
            self.is_cut_off = True
            self._cut_off()

    def _compare(self, share: Share) -> None:
        """Tell once, until they agree again, that another instance goes by a lower limit."""
        ours = share.stake.limit
        lowest = share.stake.agreed(ours)
        if lowest < ours and not share.has_lower and share.setting:
            self._announce(LimitsDiffer(share.setting, ours, lowest, share.way))
        share.has_lower = lowest < ours

    def _is_new_for(self, seconds: float) -> None:
        if seconds and not self._was_new:
            self._announce(StoreNew(seconds))
        self._was_new = seconds > 0

    def _was_found(self) -> None:
        self.is_cut_off = False
        if self._lost_at is not None:
            self._announce(StoreBack(self._clock() - self._lost_at))
            self._lost_at = None
