from __future__ import annotations

import asyncio
import socket

import pytest

from proxy.exchange import last_word
from proxy.net.options import acknowledge
from proxy.session.session import Session
from tests.support.house import house
from tests.support.misdeeds import keeps_then
from tests.support.raw_client import read_all
from tests.support.scripted import RESET, Visit, scripted

AHEAD = {"sessions": 1, "pipelining": "on"}
# By a kernel whose program reads nothing; our own kernel keeps the rest.
MORE_THAN_IS_TAKEN = 300_000


async def test_a_word_that_comes_before_the_end_of_the_data_connection_is_taken() -> None:
    async def says_so_first(visit: Visit, _: bytes) -> None:
        await visit.say("150 Send it.")
        with await visit.data() as sock:
            await read_all(sock)
            await visit.say("226 Done.")

    async with (
        scripted() as server,
        house(server, upstream=AHEAD) as home,
        home.guest() as first,
        home.guest() as second,
    ):
        server.plan("STOR", says_so_first)
        with await first.passive() as data:
            await first.say("STOR /new")
            await first.expect(150)
            data.send(b"all of it")
        await first.expect(226)
        await second.ask("SIZE /new")
        assert server.visits[0].lines[-2:] == [b"STOR /new", b"SIZE /new"]
        assert server.logins == 1


async def test_a_server_that_ends_an_upload_and_will_not_say_why_has_lost_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(last_word, "LAST_WORDS", 0.05)
    async with scripted() as server, house(server) as home, home.guest() as client:
        server.plan("STOR", keeps_then(1, taken=1))
        with await client.passive() as data:
            await client.say("STOR /new")
            await client.expect(150)
            data.send(b"some")
            await server.until(lambda: b"/new" in server.files)
            data.send(b"more")
            heard = await client.expect(426)
        assert "the server's data connection was lost" in heard[-1].text


async def test_a_server_that_resets_what_it_has_not_got_and_says_nothing_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(last_word, "LAST_WORDS", 0.05)
    all_is_sent = asyncio.Event()

    async def reads_nothing(visit: Visit, _: bytes) -> None:
        await visit.say("150 Send it.")
        with await visit.data() as sock:
            await all_is_sent.wait()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    async with scripted() as server, house(server) as home, home.guest() as client:
        server.plan("STOR", reads_nothing)
        with await client.passive() as data:
            await client.say("STOR /new")
            await client.expect(150)
            await asyncio.get_running_loop().sock_sendall(data, bytes(MORE_THAN_IS_TAKEN))
        (session,) = home.app.roster
        assert isinstance(session, Session)
        await home.until(lambda: session.transfer and session.transfer.phase == "final")
        all_is_sent.set()
        heard = await client.expect(426)
        assert "the server's data connection was lost" in heard[-1].text


@pytest.mark.parametrize("pipelining", ["on", "off"])
async def test_a_226_after_a_reset_is_not_believed_unseen(pipelining: str) -> None:
    async def loses_it(visit: Visit, argument: bytes) -> None:
        await visit.say("150 Send it.")
        with await visit.data() as sock:
            await read_all(sock)
            acknowledge(sock)  # at once, not 40 ms later: nothing tells of it but the reset
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        for _ in range(10):
            await asyncio.sleep(0)  # on loopback the reset is there already
        await visit.say("226 Done.")

    async with (
        scripted({b"/new": b"old"}) as server,
        house(server, upstream=AHEAD | {"pipelining": pipelining}) as home,
        home.guest() as client,
    ):
        server.plan("STOR", loses_it)
        assert (await client.ask("TYPE I")).code == 200
        with await client.passive() as data:
            await client.say("STOR /new")
            await client.expect(150)
            data.send(b"all of it")
        await client.expect(426)
