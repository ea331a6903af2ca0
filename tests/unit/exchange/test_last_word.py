from __future__ import annotations

import pytest

from proxy.exchange import last_word
from tests.support.house import house
from tests.support.misdeeds import keeps_then
from tests.support.raw_client import read_all
from tests.support.scripted import Visit, scripted

AHEAD = {"sessions": 1, "pipelining": "on"}


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
