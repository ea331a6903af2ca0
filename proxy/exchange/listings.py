"""Listings that need no data connection with the server: another client's, or out of STAT.

Both are opt-in, for both are the server's word at one remove. Only who asks the same with the same
login in the same place gets the same listing, and never one that may be older than what any client
of ours has changed since.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from proxy.ftp.action import Transfer
from proxy.ftp.reply import Reply
from proxy.ftp.stat_listing import Listed, StatHabit, listed
from proxy.ftp.virtual import State
from proxy.upstream.identity import LoginKey

LARGEST = 1 << 20  # bytes of a listing that is kept for others

Content = asyncio.Future[bytes | None]  # None: it could not be had
Follow = Callable[[Content], Awaitable[None]]
Asks = Callable[[], None]
OverControl = Callable[[Asks, bytes], Awaitable[Reply | None]]
OverData = Callable[[Asks], Awaitable[bytes | None]]


@dataclass(frozen=True, slots=True)
class Served:
    """Which way a listing came, and what the client is still to be sent (None: nothing)."""

    way: str
    content: bytes | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What must be equal for two listings to be the same."""

    key: LoginKey
    cwd: bytes
    type: bytes
    options: tuple[tuple[bytes, bytes], ...]
    line: bytes


def wish(key: LoginKey | None, state: State, job: Transfer) -> Wish | None:
    """Name what a client asks for; None: nobody else's listing can be the same."""
    if key is None or state.cwd is None or job.restart is not None:
        return None
    options = tuple(sorted(state.options.items()))
    return Wish(key, state.cwd, state.type, options, job.command.line)


@dataclass(frozen=True, slots=True)
class ListingWays:
    """Which other ways a listing may come than over a data connection of its own."""

    by_stat: bool = False
    shared: bool = False

    def __bool__(self) -> bool:
        return self.by_stat or self.shared


class _Fetch:
    """A listing on its way, that others may wait for."""

    def __init__(self) -> None:
        self.content: Content = asyncio.get_running_loop().create_future()
        self.asked_after: int | None = None  # changes seen when the server was asked


class Listings:
    """The listings on their way now, and what is known of the server's STAT."""

    def __init__(self, ways: ListingWays) -> None:
        self._habit = StatHabit()
        self._changes = 0
        self._fetches: dict[Wish, _Fetch] = {}
        self.adopt(ways)

    def adopt(self, ways: ListingWays) -> None:
        """Go on by other settings."""
        self._ways = ways
        if not ways.shared:
            self._fetches.clear()  # while nobody may share, changes are not noted

    def learn_anew(self) -> None:
        """Another machine answers: its STAT may be another, and its files may be older."""
        self._habit = StatHabit()
        self._fetches.clear()

    def changed(self) -> None:
        """Note that a client of ours may have changed something on the server."""
        self._changes += 1

    async def serve(
        self, wanted: Wish, follow: Follow, over_control: OverControl, over_data: OverData
    ) -> Served:
        """Return a listing that is still to be sent to the client; content None: it has been.

        `follow` waits for what another client fetches, as long as this one may wait at all;
        `over_control` asks the server one line; `over_data` lists as ever, straight to the client,
        and returns a copy. Both call back at the moment from which on what changes may be missing.
        """
        while (other := self._under_way(wanted)) is not None:
            await follow(other.content)
            if not other.content.done():
                break
            if (content := other.content.result()) is not None:
                return Served("another's", content)
        with self._fetch(wanted) as fetch:

            def asks() -> None:
                fetch.asked_after = self._changes

            return await self._serve(
                wanted, fetch, partial(over_control, asks), partial(over_data, asks)
            )

    async def _serve(
        self,
        wanted: Wish,
        fetch: _Fetch,
        over_control: Callable[[bytes], Awaitable[Reply | None]],
        over_data: Callable[[], Awaitable[bytes | None]],
    ) -> Served:
        asked, habit, told = self._askable(wanted), self._habit, None
        if asked is not None:
            told = await over_control(asked.stat_line)
            if told is None:
                habit.gave_trouble(asked.options)
            elif (content := habit.listing(asked.options, told)) is not None:
                fetch.content.set_result(content)
                return Served("control connection", content)
        copy = await over_data()
        fetch.content.set_result(copy)
        if asked is not None and told is not None and copy is not None:
            habit.saw(asked.options, told, copy)
        return Served("data connection", None)

    def _under_way(self, wanted: Wish) -> _Fetch | None:
        """Return a fetch whose listing will be as fresh as one asked for now."""
        fetch = self._fetches.get(wanted)
        if fetch is None or fetch.asked_after not in (None, self._changes):
            return None
        return fetch

    @contextmanager
    def _fetch(self, wanted: Wish) -> Iterator[_Fetch]:
        """Let others wait for what is fetched in this block; at its end they have it, or not."""
        fetch = _Fetch()
        if self._ways.shared:
            self._fetches[wanted] = fetch
        try:
            yield fetch
        finally:
            if self._fetches.get(wanted) is fetch:
                del self._fetches[wanted]
            if not fetch.content.done():
                fetch.content.set_result(None)

    def _askable(self, wanted: Wish) -> Listed | None:
        """Say what STAT should ask; None: LIST must."""
        verb, _, argument = wanted.line.partition(b" ")
        if not self._ways.by_stat or verb.upper() != b"LIST":
            return None
        asked = listed(argument)
        return None if asked is None or self._habit.is_hopeless(asked.options) else asked
