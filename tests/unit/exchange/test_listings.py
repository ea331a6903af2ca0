from __future__ import annotations

import asyncio

from tests.support.house import House, house
from tests.support.misdeeds import says, sends_then
from tests.support.raw_client import read_all
from tests.support.scripted import Handler, Visit, scripted

FILES = {b"/pub/a": b"1", b"/pub/b": b"22"}
SHARED = {"share_listings": "on"}
LISTED = b"-rw-r--r-- 1 u g 1 Jan  1 00:00 a\r\n"


def both_list(home: House) -> bool:
    return [session.doing for session in home.app.roster] == ["LIST", "LIST"]


def lists_when(go_on: asyncio.Event) -> Handler:
    """Begin, and list once the event has come."""

    async def lists(visit: Visit, _: bytes) -> None:
        await visit.say("150 Here.")
        with await visit.data() as sock:
            await go_on.wait()
            sock.send(LISTED)
        await visit.say("226 Sent.")

    return lists


async def test_the_same_listing_asked_for_at_once_is_fetched_once() -> None:
    go_on = asyncio.Event()
    async with scripted(FILES) as server, house(server, upstream=SHARED) as home:
        server.plan("LIST", lists_when(go_on), sends_then(LISTED, "226 Sent."))
        async with home.guest() as one, home.guest() as other:
            with await one.passive() as first, await other.passive() as second:
                await one.say("LIST /pub")
                await one.expect(150)
                await other.say("LIST /pub")
                await home.until(lambda: both_list(home))
                go_on.set()
                assert await read_all(first) == LISTED
                await other.expect(150)
                assert await read_all(second) == LISTED
            await one.expect(226)
            await other.expect(226)
    assert server.count("LIST") == 1


async def test_a_listing_asked_for_after_a_change_is_fetched_again() -> None:
    go_on = asyncio.Event()
    wishes = {**SHARED, "sessions": 2}
    async with scripted(FILES) as server, house(server, upstream=wishes) as home:
        server.plan("LIST", lists_when(go_on), sends_then(LISTED, "226 Sent."))
        async with home.guest() as one, home.guest() as other:
            with await one.passive() as first:
                await one.say("LIST /pub")
                await one.expect(150)
                assert (await other.ask("MKD /pub/new")).code == 257
                assert await other.fetch("LIST /pub") == LISTED
                go_on.set()
                await read_all(first)
            await one.expect(226)
    assert server.count("LIST") == 2


async def test_an_upload_that_spans_a_reload_makes_listings_stale_too() -> None:
    go_on = asyncio.Event()
    wishes = {**SHARED, "sessions": 3}
    async with scripted(FILES) as server, house(server, upstream=wishes) as home:
        server.plan("LIST", lists_when(go_on), sends_then(LISTED, "226 Sent."))
        async with home.guest() as writer, home.guest() as one, home.guest() as other:
            with await writer.passive() as upload:
                await writer.say("STOR /pub/new")
                await writer.expect(150)
                await home.reload(upstream=wishes, timeouts={"stall": 7.0})
                with await one.passive() as first:
                    await one.say("LIST /pub")
                    await one.expect(150)
                    upload.close()
                    await writer.expect(226)
                    assert await other.fetch("LIST /pub") == LISTED
                    go_on.set()
                    await read_all(first)
                await one.expect(226)
    assert server.count("LIST") == 2


async def test_what_was_learned_of_stat_outlives_a_reload_but_not_another_server() -> None:
    wishes = {"list_by_stat": "on"}
    async with scripted(FILES) as server, house(server, upstream=wishes) as home:
        server.always["STAT"] = says("213-Status:", LISTED.decode().rstrip(), "213 End.")
        server.always["LIST"] = sends_then(LISTED, "226 Sent.")
        async with home.guest() as client:
            for _ in range(2):
                assert await client.fetch("LIST /pub") == LISTED
            assert server.count("LIST") == 1
            await home.reload(upstream=wishes, timeouts={"stall": 7.0})
            assert await client.fetch("LIST /pub") == LISTED
            assert server.count("LIST") == 1
            await home.reload(upstream={**wishes, "host": "localhost"})
            assert await client.fetch("LIST /pub") == LISTED
            assert server.count("LIST") == 2


async def test_when_the_one_who_fetches_leaves_another_fetches() -> None:
    async def stands_still(visit: Visit, _: bytes) -> None:
        await visit.say("150 Here.")
        with await visit.data() as sock:
            await read_all(sock)
        await visit.say("426 Broken off.")

    async with scripted(FILES) as server, house(server, upstream=SHARED) as home:
        server.plan("LIST", stands_still)
        async with home.guest() as one, home.guest() as other:
            with await one.passive(), await other.passive() as second:
                await one.say("LIST /pub")
                await one.expect(150)
                await other.say("LIST /pub")
                await home.until(lambda: both_list(home))
                await one.say("ABOR")
                await other.expect(150)
                assert await read_all(second)
            await other.expect(226)
