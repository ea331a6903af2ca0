"""However often a command has to wait, it has one deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from proxy.gate.patience import comes
from proxy.gate.request import Request, Source
from proxy.shaping.quota import Limits
from tests.support.house import House, house
from tests.support.misdeeds import hangs_up, sends_then, waits_for
from tests.support.raw_client import RawClient, read_all
from tests.support.scripted import Scripted, Visit, scripted

FILES = {b"/ten": b"0123456789"}


class Rivals:
    """Clients that hold the only session, one after the other, until they are let go."""

    def __init__(self, home: House, server: Scripted, tasks: asyncio.TaskGroup) -> None:
        self._home = home
        self._server = server
        self._tasks = tasks
        self._held: list[asyncio.Event] = []

    def come(self) -> None:
        """Ask for a transfer that does not begin yet."""
        self._held.append(asyncio.Event())
        self._tasks.create_task(self._fetch(self._held[-1]))

    async def queue(self) -> None:
        """Come, and wait behind whoever waits already."""
        waiting = self._home.gate.waiting
        self.come()
        await self._home.until(lambda: self._home.gate.waiting == waiting + 1)

    def go(self) -> None:
        """Let the first of them have its file, and leave."""
        self._held.pop(0).set()

    async def _fetch(self, go_on: asyncio.Event) -> None:
        async with self._home.guest() as client:
            self._server.plan("NLST", waits_for(go_on, "NLST"))
            await client.fetch("NLST")


@asynccontextmanager
async def before_one_session(**upstream: str) -> AsyncIterator[tuple[House, Scripted, Rivals]]:
    async with (
        scripted(FILES) as server,
        house(server, upstream={"sessions": 1, **upstream}) as home,
        asyncio.TaskGroup() as tasks,
    ):
        yield home, server, Rivals(home, server, tasks)


async def its_wait(home: House, errand: bytes, *, follows: bool = False) -> float:
    """Return since when it waits, once it does."""

    def found() -> list[Request]:
        requests = [one for one in home.gate.line if one.errand == errand]
        return [one for one in requests if one.follows is follows]

    await home.until(found)
    return found()[0].since


async def test_what_is_asked_again_has_waited_since_it_was_first_asked() -> None:
    async with before_one_session() as (home, server, rivals), home.guest() as client:
        rivals.come()
        await server.until_heard("NLST")
        await client.say("SIZE /ten")
        began = await its_wait(home, b"")
        await rivals.queue()
        server.plan("SIZE", hangs_up)
        rivals.go()
        await server.until_heard("NLST", 2)
        assert server.count("SIZE") == 1
        assert await its_wait(home, b"") == began
        rivals.go()
        await client.expect(213)


async def test_a_listing_waits_for_stat_and_for_data_by_one_deadline() -> None:
    async with (
        before_one_session(list_by_stat="on") as (home, server, rivals),
        home.guest() as client,
    ):
        rivals.come()
        await server.until_heard("NLST")
        with await client.passive() as data:
            await client.say("LIST")
            began = await its_wait(home, b"LIST")
            await rivals.queue()
            rivals.go()
            await server.until_heard("NLST", 2)
            assert server.count("STAT") == 1
            assert await its_wait(home, b"LIST") == began
            rivals.go()
            await client.expect(150)
            assert await read_all(data)
        await client.expect(226)


async def test_who_waited_for_anothers_listing_goes_on_by_the_same_deadline() -> None:
    async def stands_still(visit: Visit, _: bytes) -> None:
        await visit.say("150 Here.")
        with await visit.data() as sock:
            await read_all(sock)
        await visit.say("426 Broken off.")

    async with (
        before_one_session(share_listings="on") as (home, server, rivals),
        home.guest() as one,
        home.guest() as client,
    ):
        server.plan("LIST", stands_still)
        with await one.passive(), await client.passive() as data:
            await one.say("LIST")
            await one.expect(150)
            await client.say("LIST")
            began = await its_wait(home, b"LIST", follows=True)
            await rivals.queue()
            assert (await one.ask("ABOR")).code == 426
            await one.expect(226)
            await server.until_heard("NLST")
            assert await its_wait(home, b"LIST") == began
            rivals.go()
            await client.expect(150)
            assert await read_all(data)
        await client.expect(226)


async def fetches(client: RawClient) -> None:
    assert await client.fetch("RETR /ten") == FILES[b"/ten"]


async def test_a_break_has_a_deadline_of_its_own_only_if_bytes_came_before_it() -> None:
    half = FILES[b"/ten"][:5]
    go_on = asyncio.Event()

    async def breaks(visit: Visit, argument: bytes) -> None:
        await go_on.wait()
        await sends_then(half, "426 Broken.", reset=True)(visit, argument)

    async with (
        before_one_session() as (home, server, rivals),
        home.guest() as client,
        asyncio.TaskGroup() as tasks,
    ):
        assert (await client.ask("TYPE I")).code == 200
        server.plan("RETR", breaks, hangs_up)
        tasks.create_task(fetches(client))
        await server.until_heard("RETR")
        await rivals.queue()
        (rival,) = home.gate.line
        go_on.set()
        broken = await its_wait(home, b"RETR /ten")
        assert broken > rival.since
        await rivals.queue()
        rivals.go()
        await server.until_heard("RETR", 2)
        assert await its_wait(home, b"RETR /ten") == broken
        rivals.go()


async def test_what_is_there_is_not_waited_for_even_when_it_is_late() -> None:
    there = asyncio.get_running_loop().create_future()
    there.set_result(None)
    request = Request(Source("192.0.2.7", "all", Limits()), since=0.0)
    assert await comes(there, request, 0.0, lambda: 1.0)
    never = asyncio.get_running_loop().create_future()
    assert not await comes(never, request, 0.0, lambda: 1.0)


@pytest.mark.parametrize("waited", [0.0, 1.0])
async def test_nobody_is_fed_whose_time_is_over(waited: float) -> None:
    fed: list[float] = []
    request = Request(Source("192.0.2.7", "all", Limits()), since=0.0, feed=fed.append)
    never = asyncio.get_running_loop().create_future()
    moments = iter([waited, 1.0, 1.0])
    assert not await comes(never, request, 1.0, lambda: next(moments))
    assert fed == []
