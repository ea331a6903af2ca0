from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from proxy.events import TransferEnded
from proxy.exchange.healing import MOST_FUTILE
from tests.support.honest import Handler
from tests.support.house import House, house
from tests.support.misdeeds import hangs_up, keeps_then, resets, says
from tests.support.raw_client import RawClient, is_reset
from tests.support.scripted import RESET, Scripted, Visit, scripted

CONTENT = b"0123456789"
OLD = b"what was there before"
LARGE = bytes(range(256)) * 4000
LITTLE_MEMORY = "2MiB"  # each keeps a quarter of LARGE

BREAKS: dict[str, Handler] = {
    "nothing was kept": keeps_then(0, "426 Broken."),
    "it says 425": keeps_then(0, "425 Unable to build data connection."),
    "it says 451": keeps_then(5, "451 Transfer aborted."),
    "a part was kept": keeps_then(5, "426 Broken."),
    "all was kept": keeps_then(10, "426 Broken."),
    "it hangs up, and kept a part": keeps_then(5, hang_up=True),
    "it is shut down, and kept a part": keeps_then(5, "421 Shutting down.", hang_up=True),
    "it hangs up at STOR": hangs_up,
    "it resets at STOR": resets,
}


@asynccontextmanager
async def healed(
    files: dict[bytes, bytes] | None = None, *, uploads: str = "on", upload_memory: str = "64MiB"
) -> AsyncIterator[tuple[Scripted, House, RawClient]]:
    """A server, a proxy that heals uploads, and a client in TYPE I."""
    wishes = {"uploads": uploads, "upload_memory": upload_memory}
    async with (
        scripted(files) as server,
        house(server, heal=wishes) as home,
        home.guest() as client,
    ):
        assert (await client.ask("TYPE I")).code == 200
        yield server, home, client


async def store_from(client: RawClient, offset: int, command: str) -> None:
    """Store CONTENT behind that many bytes of what is there."""
    with await client.passive() as data:
        await client.say(f"REST {offset}", command)
        await client.expect(350, 150)
        await asyncio.get_running_loop().sock_sendall(data, CONTENT)
    await client.expect(226)


async def refused(client: RawClient, command: str, content: bytes, code: int) -> None:
    """Store in vain."""
    with await client.passive() as data:
        await client.say(command)
        await client.expect(150)
        await asyncio.get_running_loop().sock_sendall(data, content)
        data.shutdown(socket.SHUT_WR)
        assert await is_reset(data)
    await client.expect(code)
    await client.expect_silence()


@pytest.mark.parametrize("files", [{}, {b"/new": OLD}], ids=["new", "there already"])
@pytest.mark.parametrize("how", BREAKS)
async def test_what_breaks_at_the_server_is_stored_whole(
    how: str, files: dict[bytes, bytes]
) -> None:
    async with healed(dict(files)) as (server, home, client):
        server.plan("STOR", BREAKS[how])
        await client.store("STOR /new", CONTENT)
        await client.expect_silence()
        assert server.files[b"/new"] == CONTENT
        (ended,) = home.told(TransferEnded)
        assert (ended.result, ended.heals, ended.moved) == ("done", 1, len(CONTENT))


async def test_what_the_server_has_is_not_sent_again() -> None:
    async with healed() as (server, _, client):
        server.plan("STOR", keeps_then(5, "426 Broken."))
        await client.store("STOR /new", CONTENT)
        assert b"REST 5" in server.visits[-1].lines
        assert server.files[b"/new"] == CONTENT


async def test_it_may_break_again_and_again_as_long_as_bytes_come() -> None:
    async with healed() as (server, _, client):
        server.plan("STOR", *(keeps_then(300_000, "426 Broken.", taken=400_000) for _ in range(3)))
        await client.store("STOR /new", LARGE)
        assert server.files[b"/new"] == LARGE


async def test_a_large_file_goes_on_from_what_is_in_memory() -> None:
    async with healed(upload_memory=LITTLE_MEMORY) as (server, home, client):
        server.plan("STOR", keeps_then(len(LARGE) - 100_000, "426 Broken."))
        await client.store("STOR /new", LARGE)
        assert server.files[b"/new"] == LARGE
        assert home.app.rooms.replays.used == 0


async def test_what_is_not_in_memory_any_more_is_not_invented() -> None:
    async with healed(upload_memory=LITTLE_MEMORY) as (server, home, client):
        server.plan("STOR", keeps_then(100_000, "426 Broken."))
        await refused(client, "STOR /new", LARGE, 426)
        (ended,) = home.told(TransferEnded)
        assert ended.result == "upload_unsure"


async def test_a_server_that_takes_no_restart_gets_it_all_again() -> None:
    async with healed() as (server, _, client):
        server.plan("STOR", keeps_then(5, "426 Broken."))
        server.always["REST"] = says("502 Never heard of it.")
        await client.store("STOR /new", CONTENT)
        assert server.files[b"/new"] == CONTENT


async def test_or_none_if_it_is_too_long_for_the_memory() -> None:
    async with healed(upload_memory=LITTLE_MEMORY) as (server, _, client):
        server.plan("STOR", keeps_then(len(LARGE) - 100_000, "426 Broken."))
        server.always["REST"] = says("502 Never heard of it.")
        await refused(client, "STOR /new", LARGE, 426)


async def test_a_file_that_the_server_has_not_touched_is_not_taken_for_ours() -> None:
    """It may write to another name until all has come (proftpd: HiddenStores)."""

    async def hides(visit: Visit, name: bytes) -> None:
        await keeps_then(0, "426 Broken.")(visit, name)
        visit.server.files[visit.path(name)] = OLD[:5]

    async with healed({b"/new": OLD[:5]}) as (server, _, client):
        server.plan("STOR", hides)
        await client.store("STOR /new", CONTENT)
        assert server.files[b"/new"] == CONTENT


async def test_a_226_for_less_than_was_sent_is_not_believed_after_a_break() -> None:
    async def stores_half(visit: Visit, name: bytes) -> None:
        await visit.obey_normally("STOR", name)
        path = visit.path(name)
        visit.server.files[path] = visit.server.files[path][:7]

    async with healed() as (server, home, client):
        server.plan("STOR", keeps_then(5, "426 Broken."), stores_half)
        await client.store("STOR /new", CONTENT)
        assert server.files[b"/new"] == CONTENT
        (ended,) = home.told(TransferEnded)
        assert ended.heals == 2


async def test_a_restart_of_the_clients_own_is_counted_from() -> None:
    async with healed({b"/new": OLD}) as (server, _, client):
        server.plan("STOR", keeps_then(5, "426 Broken."))
        await store_from(client, 4, "STOR /new")
        assert server.files[b"/new"] == OLD[:4] + CONTENT
        assert b"REST 9" in server.visits[-1].lines


async def test_what_stood_behind_the_clients_restart_is_not_taken_for_its_bytes() -> None:
    """Some servers cut nothing off there (vsftpd): the same length tells nothing."""

    async def writes_over(visit: Visit, name: bytes) -> None:
        await keeps_then(2, "426 Broken.")(visit, name)
        path = visit.path(name)
        visit.server.files[path] += OLD[len(visit.server.files[path]) :]
        visit.server.modified = "20260101000001"

    async with healed({b"/new": OLD}) as (server, _, client):
        server.plan("STOR", writes_over)
        await store_from(client, 14, "STOR /new")
        assert server.files[b"/new"] == OLD[:14] + CONTENT


def appends(count: int) -> Handler:
    """Append so many bytes, and break off."""

    async def handler(visit: Visit, name: bytes) -> None:
        visit.offset = len(OLD)
        await keeps_then(count, "426 Broken.")(visit, name)

    return handler


async def test_an_append_goes_on_behind_what_was_appended() -> None:
    async with healed({b"/new": OLD}) as (server, _, client):
        server.plan("APPE", appends(5))
        await client.store("APPE /new", CONTENT)
        assert server.files[b"/new"] == OLD + CONTENT


async def test_an_append_of_which_nothing_was_kept_is_sent_again() -> None:
    async with healed({b"/new": OLD}) as (server, _, client):
        server.plan("APPE", appends(0))
        await client.store("APPE /new", CONTENT)
        assert server.files[b"/new"] == OLD + CONTENT


async def test_an_append_that_may_still_be_going_on_is_left_alone() -> None:
    async with healed({b"/new": OLD}) as (server, _, client):
        server.plan("APPE", keeps_then(5, hang_up=True))
        await refused(client, "APPE /new", CONTENT, 426)


async def test_an_append_to_a_file_that_nobody_may_look_at_is_left_alone() -> None:
    """A mailbox for uploads: SIZE is answered 550 although the file is there (pyftpdlib)."""

    async with healed({b"/new": OLD}) as (server, _, client):
        server.always["SIZE"] = says("550 Not enough privileges.")
        server.plan("APPE", appends(5))
        await refused(client, "APPE /new", CONTENT, 426)
        assert server.files[b"/new"] == OLD + CONTENT[:5]


async def test_a_unique_store_is_never_sent_twice() -> None:
    async with healed() as (server, _, client):
        server.plan("STOU", keeps_then(5, "426 Broken."))
        with await client.passive() as data:
            await client.say("STOU")
            await client.expect(150)
            await asyncio.get_running_loop().sock_sendall(data, CONTENT)
        await client.expect(426)
        assert server.count("STOU") == 1


async def test_in_ascii_it_is_sent_again_from_its_beginning() -> None:
    async with healed() as (server, _, client):
        assert (await client.ask("TYPE A")).code == 200
        server.plan("STOR", keeps_then(5, "426 Broken."))
        await client.store("STOR /new", CONTENT)
        assert server.files[b"/new"] == CONTENT
        assert server.count("SIZE") == server.count("REST") == 0


async def test_a_server_without_size_gets_it_all_again() -> None:
    async with healed() as (server, _, client):
        server.always["SIZE"] = says("502 Never heard of it.")
        server.plan("STOR", keeps_then(5, "426 Broken."))
        await client.store("STOR /new", CONTENT)
        assert server.files[b"/new"] == CONTENT


async def test_a_mailbox_that_shows_nobody_its_files_gets_it_twice_and_is_believed() -> None:
    async with healed() as (server, home, client):
        server.always["SIZE"] = says("550 Not enough privileges.")
        server.plan("STOR", keeps_then(5, "426 Broken."))
        await client.store("STOR /new", CONTENT)
        assert server.files[b"/new"] == CONTENT
        assert server.count("STOR") == 3
        (ended,) = home.told(TransferEnded)
        assert (ended.result, ended.heals) == ("done", 2)


async def test_a_file_that_is_gone_behind_its_226_is_sent_again() -> None:
    """The process of a STOR that broke off may delete what it began, whoever has made it anew."""

    async def is_gone(visit: Visit, name: bytes) -> None:
        server.files.pop(visit.path(name), None)
        await visit.say("550 No such file.")

    async with healed() as (server, _, client):
        server.plan("STOR", keeps_then(5, "426 Broken."))
        server.plan("SIZE", says("550 No such file."), says("550 No such file."), is_gone)
        await client.store("STOR /new", CONTENT)
        assert server.files[b"/new"] == CONTENT
        assert server.count("STOR") == 3


@pytest.mark.parametrize("words", ["452 The disk is full.", "552 Over quota."])
async def test_a_full_disk_is_not_argued_with(words: str) -> None:
    async with healed() as (server, home, client):
        server.plan("STOR", keeps_then(5, words))
        with await client.passive() as data:
            await client.say("STOR /new")
            await client.expect(150)
            await asyncio.get_running_loop().sock_sendall(data, CONTENT)
        await client.expect(int(words[:3]))
        (ended,) = home.told(TransferEnded)
        assert ended.heals == 0


async def test_nobody_tries_for_ever() -> None:
    async with healed() as (server, _, client):
        server.always["STOR"] = keeps_then(0, "426 Broken.")
        await refused(client, "STOR /new", CONTENT, 426)
        assert server.count("STOR") == MOST_FUTILE + 1


async def test_a_client_that_broke_off_itself_is_not_healed() -> None:
    async with healed() as (server, _, client):
        data = await client.passive()
        await client.say("STOR /new")
        await client.expect(150)
        data.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        data.close()
        await client.expect(426)
        assert server.count("STOR") == 1


async def test_who_does_not_ask_for_it_hears_of_every_break() -> None:
    async with healed(uploads="off") as (server, _, client):
        server.plan("STOR", keeps_then(5, "426 Broken."))
        with await client.passive() as data:
            await client.say("STOR /new")
            await client.expect(150)
            await asyncio.get_running_loop().sock_sendall(data, CONTENT)
        await client.expect(426)
