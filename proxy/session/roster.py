"""Who is here: every live client session, counted, listed and asked to leave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Protocol


class Guest(Protocol):
    """What the roster asks of a session."""

    id: str

    @property
    def doing(self) -> str:
        """The verb it is at, "idle" or "greeting"."""
        ...

    def ask_to_leave(self) -> None:
        """End at the next boundary: at once when idle, else after the transfer."""
        ...

    def throw_out(self) -> None:
        """End now."""
        ...


class Roster:
    """Live sessions, in order of arrival."""

    def __init__(self) -> None:
        self._guests: dict[str, Guest] = {}
        self._empty: Callable[[], None] = lambda: None

    def arrived(self, guest: Guest) -> None:
        """Add a session."""
        self._guests[guest.id] = guest

    def left(self, guest: Guest) -> None:
        """Remove it."""
        self._guests.pop(guest.id, None)
        if not self._guests:
            self._empty()

    def __len__(self) -> int:
        return len(self._guests)

    def __iter__(self) -> Iterator[Guest]:
        return iter(tuple(self._guests.values()))

    async def drain(self, patience: float) -> int:
        """Ask everybody to leave; after `patience` seconds throw out the rest. Return how many."""
        for guest in self:
            guest.ask_to_leave()
        if await self._wait_empty(patience):
            return 0
        late = len(self)
        self.throw_out()
        await self._wait_empty(5.0)
        return late

    def throw_out(self) -> None:
        """End every session now."""
        for guest in self:
            guest.throw_out()

    async def _wait_empty(self, patience: float) -> bool:
        if self._guests:
            empty = asyncio.get_running_loop().create_future()
            self._empty = lambda: None if empty.done() else empty.set_result(None)
            await asyncio.wait({empty}, timeout=patience)
            self._empty = lambda: None
        return not self._guests
