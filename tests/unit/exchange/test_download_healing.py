from __future__ import annotations

import asyncio

import pytest

from proxy.events import TransferEnded
from proxy.exchange.healing import MOST_FUTILE
from tests.support.honest import Handler
from tests.support.house import house
from tests.support.misdeeds import hangs_up, says, sends_then
from tests.support.raw_client import RawClient, is_reset, read_all, read_some
from tests.support.scripted import Scripted, Visit, scripted

CONTENT = b"0123456789"
FILES = {b"/ten": CONTENT}
HALF = CONTENT[:5]

BREAKS: dict[str, Handler] = {
    "a reset and 426": sends_then(HALF, "426 Broken.", reset=True),
    "a reset and a false 226": sends_then(HALF, "226 Done.", reset=True),
    "an early end and 426": sends_then(HALF, "426 Broken."),
    "an early end and 451": sends_then(HALF, "451 The disk broke."),
    "the server hangs up": sends_then(HALF, hang_up=True),
    "the server is shut down": sends_then(HALF, "421 Shutting down.", hang_up=True),
    "nothing came": sends_then(b"", "426 Broken.", reset=True),
    "it hangs up at RETR": hangs_up,
    "all came, then it broke": sends_then(CONTENT, "426 Broken.", reset=True),
}


async def binary(client: RawClient) -> None:
    assert (await client.ask("TYPE I")).code == 200


@pytest.mark.parametrize("how", BREAKS)
async def test_what_breaks_at_the_server_arrives_whole(how: str) -> None:
    async with scripted(FILES) as server, house(server) as home, home.guest() as client:
        server.plan("RETR", BREAKS[how])
        await binary(client)
        assert await client.fetch("RETR /ten") == CONTENT
        await client.expect_silence()
        (ended,) = home.told(TransferEnded)
        assert (ended.result, ended.heals, ended.moved) == ("done", 1, len(CONTENT))


@pytest.mark.parametrize("how", ["vanished", "hung"])
async def test_what_a_server_holds_up_that_is_gone_is_fetched_elsewhere(how: str) -> None:
    is_over = asyncio.Event()

    async def sends_half(visit: Visit, argument: bytes) -> None:
        await visit.say("150 Here it comes.")
        with await visit.data() as sock:
            sock.send(HALF)
            await is_over.wait()

    async with (
        scripted(FILES) as server,
        house(server, timeouts={"stall": 1.0}) as home,
        home.guest() as client,
    ):
        server.plan("RETR", sends_half)
        await binary(client)
        with await client.passive() as data:
            await client.say("RETR /ten")
            await client.expect(150)
            got = await read_some(data)
            (seat,) = home.egresses[0].pool.seats
            assert seat.session is not None
            if how == "vanished":  # as the kernel says it when no probe was answered
                seat.session.channel.connection_lost(TimeoutError(110, "Connection timed out"))
            else:
                seat.session.forsake()
            assert got + await read_all(data) == CONTENT
        await client.expect(226)
        seat.session.channel.abort()
        is_over.set()
        (ended,) = home.told(TransferEnded)
        assert (ended.result, ended.heals, ended.moved) == ("done", 1, len(CONTENT))


async def test_it_may_break_again_and_again_as_long_as_bytes_come() -> None:
    async with scripted(FILES) as server, house(server) as home, home.guest() as client:
        for at in range(len(CONTENT) - 1):
            server.plan("RETR", sends_then(CONTENT[at : at + 1], "426 Broken.", reset=True))
        await binary(client)
        assert await client.fetch("RETR /ten") == CONTENT


async def test_a_restart_of_the_clients_own_is_counted_from() -> None:
    async with scripted(FILES) as server, house(server) as home, home.guest() as client:
        server.plan("RETR", sends_then(CONTENT[3:5], "426 Broken.", reset=True))
        await binary(client)
        with await client.passive() as data:
            await client.say("REST 3", "RETR /ten")
            await client.expect(350)
            await client.expect(150)
            assert await read_all(data) == CONTENT[3:]
        await client.expect(226)


async def broken(server: Scripted, client: RawClient, code: int) -> None:
    with await client.passive() as data:
        await client.say("RETR /ten")
        await client.expect(150)
        assert await is_reset(data)
    await client.expect(code)


async def test_a_file_that_changed_meanwhile_is_never_patched_together() -> None:
    async def changes(visit: Visit, argument: bytes) -> None:
        visit.server.modified = "20261121120000"
        await sends_then(HALF, "426 Broken.", reset=True)(visit, argument)

    async with scripted(FILES) as server, house(server) as home, home.guest() as client:
        server.plan("RETR", changes)
        await binary(client)
        await broken(server, client, 426)
        (ended,) = home.told(TransferEnded)
        assert ended.result == "file_changed"


@pytest.mark.parametrize("verb", ["SIZE", "MDTM"])
async def test_a_server_that_cannot_say_what_a_file_is_is_not_resumed(verb: str) -> None:
    async with scripted(FILES) as server, house(server) as home, home.guest() as client:
        server.always[verb] = says("502 Never heard of it.")
        server.plan("RETR", BREAKS["a reset and 426"])
        await binary(client)
        await broken(server, client, 426)


async def test_in_ascii_only_what_has_not_begun_is_fetched_again() -> None:
    async with scripted(FILES) as server, house(server) as home, home.guest() as client:
        server.plan("RETR", BREAKS["nothing came"])
        assert await client.fetch("RETR /ten") == CONTENT
        server.plan("RETR", BREAKS["a reset and 426"])
        await broken(server, client, 426)


async def test_a_listing_that_has_not_begun_is_fetched_again() -> None:
    async with scripted(FILES) as server, house(server) as home, home.guest() as client:
        server.plan("LIST", BREAKS["nothing came"])
        assert await client.fetch("LIST") == b"ten\r\n"


async def test_nobody_tries_for_ever() -> None:
    tries = 0

    async def breaks(visit: Visit, argument: bytes) -> None:
        nonlocal tries
        tries += 1
        await sends_then(b"", "426 Broken.", reset=True)(visit, argument)

    async with scripted(FILES) as server, house(server) as home, home.guest() as client:
        server.always["RETR"] = breaks
        await binary(client)
        await broken(server, client, 426)
    assert tries == MOST_FUTILE


async def test_a_550_is_not_argued_with() -> None:
    async with scripted(FILES) as server, house(server) as home, home.guest() as client:
        await binary(client)
        await client.expect_refusal("RETR /nothing", 550)
        (ended,) = home.told(TransferEnded)
        assert ended.heals == 0


async def test_who_wants_no_healing_hears_of_every_break() -> None:
    wishes = {"downloads": "off"}
    async with (
        scripted(FILES) as server,
        house(server, heal=wishes) as home,
        home.guest() as client,
    ):
        server.plan("RETR", BREAKS["a reset and 426"])
        await binary(client)
        await broken(server, client, 426)
