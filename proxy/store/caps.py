"""The caps of classes, kept by several instances together.

What one source may do at once or in a minute is shared like the budget: an instance may count in
only what it owns of the cap. Without a store, and while it is lost, each instance keeps the caps
alone: they protect the scripts from each other, not us from the firewall.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from math import inf
from typing import Final

from proxy.shaping.quota import MINUTE, Key, Limits, Quotas
from proxy.shaping.stake import Stake, Wish

from .share import Share
from .shared import SharedStore

WANTED: Final = 2.0  # seconds for which one who asked is taken to be waiting
AT_HAND_PART: Final = 10  # one more for so many transfers: not each should wait for an answer
SAY: Final = 1.5  # seconds for which nobody is refused: others need one to give back
SILENCE: Final = 10.0  # ... while the store has not said no: a busy machine is slow to ask it


class What(StrEnum):
    """What is capped."""

    SESSIONS = "sessions"
    TRANSFERS = "transfers"
    STARTS = "starts"


@dataclass(slots=True, eq=False)
class _Cap:
    """One cap of one source, as long as it does something."""

    share: Share
    limit: int
    asked_at: float
    heard_at: float = -inf  # when the store answered last

    def is_taken(self, since: float) -> bool:
        """Tell whether the store has said since then that nothing is left for anybody."""
        return self.heard_at >= since and self.share.stake.is_dealt_out


class Caps:
    """All caps that are in use here, at one server or of sessions whichever they are for."""

    def __init__(
        self, store: SharedStore | None, clock: Callable[[], float], server: str = ""
    ) -> None:
        self._store = store
        self._suffix = f"@{server}" if server else ""  # other servers have caps of their own
        self._quotas = Quotas()
        self._clock = clock
        self._caps: dict[tuple[What, Key], _Cap] = {}
        self._newcomers: Counter[Key] = Counter()  # sessions that wait for a place
        self._news = asyncio.Event()
        self._rouse: Callable[[], None] = lambda: None  # nobody waits for a turn

    def serve(self, rouse: Callable[[], None]) -> None:
        """Call `rouse` whenever the store has let a source have more."""
        self._rouse = rouse

    @property
    def shared(self) -> int:
        """Count the caps that the store is told of."""
        return len(self._caps)

    async def enter_session(self, key: Key, limits: Limits) -> bool:
        """Count a new session in. False means the source has as many as it may."""
        if not self._allows(What.SESSIONS, key, limits.sessions):
            self._newcomers[key] += 1
            try:
                if not await self._lets_in(key, limits):
                    return False
            finally:
                self._newcomers[key] -= 1
                self._newcomers += Counter()  # which forgets those of whom there is none
        return self._quotas.enter_session(key, limits)

    async def _lets_in(self, key: Key, limits: Limits) -> bool:
        """Wait for a place; False once the store has said in time that all are taken."""
        began = self._clock()
        while not self._allows(What.SESSIONS, key, limits.sessions):
            waited, cap = self._clock() - began, self._caps[What.SESSIONS, key]
            if waited >= SILENCE or (waited >= SAY and cap.is_taken(began)):
                return False
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SAY):
                    await self._news.wait()
        return True

    def move_session(self, old: Key, new: Key) -> None:
        """Count a session elsewhere, whether or not there is room."""
        self._quotas.enter_session(new, Limits())
        self._quotas.leave_session(old)

    def leave_session(self, key: Key) -> None:
        """Count a session out."""
        self._quotas.leave_session(key)

    def transfer_wait(self, key: Key, limits: Limits) -> float | None:
        """Tell in how many seconds a transfer may start; 0.0 means now.

        None means that one of the source's transfers has to end first, here or elsewhere.
        """
        wait = self._quotas.transfer_wait(key, limits, self._clock())
        if wait != 0.0 or self._store is None:
            return wait
        at_once = self._allows(What.TRANSFERS, key, limits.transfers)
        in_a_minute = self._allows(What.STARTS, key, limits.transfers_per_minute)
        return 0.0 if at_once and in_a_minute else None

    def start_transfer(self, key: Key, limits: Limits) -> None:
        """Count a transfer in, whether or not there was leave to: ask `transfer_wait` first."""
        self._quotas.start_transfer(key, limits, self._clock())

    def end_transfer(self, key: Key) -> None:
        """Count a transfer out."""
        self._quotas.end_transfer(key)

    def _allows(self, what: What, key: Key, limit: int | None) -> bool:
        if self._store is None or limit is None or self._store.is_lost:
            return True
        now = self._clock()
        cap = self._caps.get((what, key)) or self._begin(self._store, what, key)
        # Wanted even if it is allowed: what is needed beside it may not be.
        cap.limit, cap.asked_at = limit, now
        if self._used(what, key) < cap.share.stake.allowed(now):
            return True
        cap.share.ask()
        return False

    def _begin(self, store: SharedStore, what: What, key: Key) -> _Cap:
        hold = MINUTE if what is What.STARTS else 0.0
        share = store.share_briefly(
            ":".join((what + self._suffix, *key)), Stake(store.terms), hold=hold
        )
        cap = self._caps[what, key] = _Cap(share, 0, self._clock())
        share.serve(
            partial(self._wish, what, key, cap), partial(self._hear, what, key, cap), lambda: hold
        )
        share.begin()
        return cap

    def _used(self, what: What, key: Key) -> int:
        match what:
            case What.SESSIONS:
                return self._quotas.sessions(key)
            case What.TRANSFERS:
                return self._quotas.transfers(key)
            case What.STARTS:
                return self._quotas.starts(key, self._clock())

    def _wish(self, what: What, key: Key, cap: _Cap) -> Wish:
        used = self._used(what, key)
        if not self._is_wanted(cap):
            return Wish(cap.limit, used, used)
        if what is What.SESSIONS:  # none at hand: who is refused one elsewhere has to leave
            return Wish(cap.limit, used, used + max(1, self._newcomers[key]))
        at_hand = 0 if cap.share.stake.is_contended else used // AT_HAND_PART
        return Wish(cap.limit, used, used + 1 + at_hand)

    def _hear(self, what: What, key: Key, cap: _Cap) -> None:
        cap.heard_at = self._clock()
        if self._is_wanted(cap):
            self._news.set()
            self._news = asyncio.Event()
            self._rouse()
        elif not self._used(what, key) and cap.share.stake.is_empty:
            cap.share.drop()
            del self._caps[what, key]

    def _is_wanted(self, cap: _Cap) -> bool:
        return self._clock() - cap.asked_at < WANTED
