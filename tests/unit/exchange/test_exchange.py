from __future__ import annotations

import asyncio
import contextlib
import os
import socket

import pytest

from proxy.events import TransferEnded
from tests.support.house import house
from tests.support.misdeeds import keeps_then, sends_then
from tests.support.raw_client import is_reset, patiently, read_all, read_some
from tests.support.scripted import RESET, Visit, scripted

CONTENT = b"0123456789"
FILES = {b"/ten": CONTENT, b"/big": bytes(16 << 20)}


async def test_a_download_ends_with_fin_and_the_servers_own_226() -> None:
    async with scripted(FILES) as server, house(server) as home, home.guest() as client:
        with await client.passive() as data:
            await client.say("RETR /ten")
            await client.expect(150)
            assert await read_all(data) == CONTENT
        assert (await client.expect(226))[0].text == "226 Done."


async def test_an_upload_is_whole_only_with_the_servers_word() -> None:
    async def stores_nothing(visit: Visit, _: bytes) -> None:
        await visit.say("150 Send it.")
        with await visit.data() as sock:
            await read_all(sock)
        await visit.say("451 The disk broke.")

    async with scripted() as server, house(server) as home, home.guest() as client:
        server.plan("STOR", stores_nothing)
        with await client.passive() as data:
            await client.say("STOR /new")
            await client.expect(150)
            data.send(CONTENT)
        heard = await client.expect(451)
        assert heard[0].text == "451 The disk broke."


@pytest.mark.parametrize("word", ["226 Done.", "426 Broken.", ""])
async def test_an_upload_that_the_server_has_reset_is_never_a_226(word: str) -> None:
    """pyftpdlib takes a reset for the end of the file, and says 226."""
    async with scripted() as server, house(server) as home, home.guest() as client:
        server.plan("STOR", keeps_then(5, *([word] if word else []), taken=10, hang_up=not word))
        assert (await client.ask("TYPE I")).code == 200
        with await client.passive() as data:
            await client.say("STOR /new")
            await client.expect(150)
            data.send(CONTENT)
            await server.until(lambda: b"/new" in server.files)
        await client.expect(426)
        await client.expect_silence()


async def test_a_reset_after_the_last_byte_does_no_harm() -> None:
    async with scripted() as server, house(server) as home, home.guest() as client:
        server.plan("STOR", keeps_then(10, "226 Done."))
        assert (await client.ask("TYPE I")).code == 200
        await client.store("STOR /new", CONTENT)


async def test_a_client_that_closes_its_data_connection_hears_426() -> None:
    async with scripted(FILES) as server, house(server) as home, home.guest() as client:
        with await client.passive() as data:
            await client.say("RETR /big")
            await client.expect(150)
            assert await read_some(data)
        await client.expect(426)
        await client.expect_silence()
        assert await client.fetch("RETR /ten") == CONTENT


async def test_the_server_hears_a_reset_when_the_client_broke_off() -> None:
    was_reset = asyncio.get_running_loop().create_future()

    async def watches(visit: Visit, _: bytes) -> None:
        await visit.say("150 Send it.")
        with await visit.data() as sock:
            was_reset.set_result(await is_reset(sock))
        await visit.say("426 Broken off.")

    async with scripted() as server, house(server) as home, home.guest() as client:
        server.plan("STOR", watches)
        with await client.passive() as data:
            await client.say("STOR /new")
            await client.expect(150)
            data.send(CONTENT)
            await client.say("ABOR")
            await client.expect(426, 226)
        async with patiently():
            assert await was_reset


async def test_a_client_that_never_connects_is_told() -> None:
    timeouts = {"connect": 0.1}
    async with (
        scripted(FILES) as server,
        house(server, timeouts=timeouts) as home,
        home.guest() as client,
    ):
        await client.passive_port()
        await client.say("RETR /ten")
        await client.expect(150, 426)
        await client.expect_silence()


async def test_a_client_that_does_not_listen_is_told() -> None:
    async with scripted(FILES) as server, house(server) as home, home.guest() as client:
        (await client.active()).close()
        await client.say("RETR /ten")
        await client.expect(150, 426)
        assert await client.fetch("RETR /ten") == CONTENT


async def test_a_stalled_upload_is_broken_off() -> None:
    async with scripted(FILES) as server, house(server, timeouts={"stall": 0.1}) as home:
        async with home.guest() as client:
            with await client.passive() as data:
                await client.say("STOR /part")
                await client.expect(150, 426)
                assert await is_reset(data)
        assert b"/part" not in server.files
        assert home.told(TransferEnded)[0].result == "stalled"


@pytest.mark.parametrize(("word", "code"), [("552 Quota.", 552), ("226 All here.", 426)])
async def test_a_server_that_reset_before_the_end_of_an_upload_has_not_got_it_all(
    word: str, code: int
) -> None:
    was_reset = asyncio.Event()

    async def resets(visit: Visit, _: bytes) -> None:
        await visit.say("150 Send it.")
        with await visit.data() as sock:
            await read_some(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        was_reset.set()
        await visit.say(word)

    async with scripted() as server, house(server) as home, home.guest() as client:
        server.plan("STOR", resets)
        with await client.passive() as data:
            await client.say("STOR /new")
            await client.expect(150)
            data.send(CONTENT)
            await was_reset.wait()
            data.shutdown(socket.SHUT_WR)
            await client.expect(code)


async def test_a_226_that_came_before_the_data_was_read_still_counts() -> None:
    async with scripted(FILES) as server, house(server) as home, home.guest() as client:
        server.plan("RETR", sends_then(CONTENT, "226 Quick."))
        assert await client.fetch("RETR /ten") == CONTENT
        await client.expect_silence()


async def test_a_refused_listing_ends_in_peace_as_the_server_ended_it() -> None:
    async def finds_nothing(visit: Visit, _: bytes) -> None:
        await visit.say("150 Looking.")
        with await visit.data():
            pass
        await visit.say("450 No such directory.")

    async with scripted() as server, house(server) as home, home.guest() as client:
        server.plan("LIST", finds_nothing)
        with await client.passive() as data:
            await client.say("LIST /nope")
            await client.expect(150)
            assert await read_all(data) == b""
        await client.expect(450)


@pytest.mark.parametrize("dscp", [None, 10])
async def test_both_data_connections_carry_the_mark(dscp: int | None) -> None:
    async with (
        scripted(FILES) as server,
        house(server, dscp=dscp) as home,
        home.guest() as client,
    ):
        before = marked_sockets(10)
        with await client.passive() as data:
            await client.say("RETR /big")
            await client.expect(150)
            assert await read_some(data)
            assert marked_sockets(10) - before == (0 if dscp is None else 2)
            await read_all(data)
        await client.expect(226)


def marked_sockets(dscp: int) -> int:
    """Count the sockets of this process that carry a mark."""
    count = 0
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                sock = socket.socket(fileno=os.dup(int(name)))
                with sock:
                    count += sock.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) >> 2 == dscp
    return count
