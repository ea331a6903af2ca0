from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from proxy.events import Pinned
from tests.support.house import House, house
from tests.support.misdeeds import says
from tests.support.scripted import Scripted, scripted


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted({b"/a": b"1", b"/deep/a": b"22", b'/quo"ted/a': b"333"}) as server:
        yield server


@pytest.fixture
async def home(server: Scripted) -> AsyncIterator[House]:
    async with house(server, upstream={"sessions": 1}) as home:
        yield home


async def test_each_client_stays_in_its_own_directory(home: House) -> None:
    async with home.guest() as one, home.guest() as other:
        assert (await one.ask("CWD deep")).code == 250
        for _ in range(3):
            assert (await one.ask("SIZE a")).text == "213 2"
            assert (await other.ask("SIZE a")).text == "213 1"
        assert (await one.ask("CDUP")).code == 250
        assert (await one.ask("PWD")).text.startswith('257 "/"')


async def test_a_refused_cwd_moves_nobody(home: House, server: Scripted) -> None:
    async with home.guest() as client:
        server.plan("CWD", says("550 No such directory."))
        assert (await client.ask("CWD nowhere")).text == "550 No such directory."
        assert (await client.ask("SIZE a")).text == "213 1"
        assert (await client.ask("PWD")).text.startswith('257 "/"')


async def test_quotes_in_a_directory_survive(home: House) -> None:
    async with home.guest() as one, home.guest() as other:
        assert (await one.ask('CWD /quo"ted')).code == 250
        assert (await other.ask("SIZE a")).text == "213 1"
        assert (await one.ask("SIZE a")).text == "213 3"
        assert (await one.ask("PWD")).text.startswith('257 "/quo""ted"')


async def test_size_is_asked_in_the_clients_own_type(home: House, server: Scripted) -> None:
    async with home.guest() as one, home.guest() as other:
        assert (await one.ask("TYPE I")).code == 200
        await one.ask("SIZE a")
        await other.ask("SIZE a")
    types = [line for line in server.visits[0].lines if line.startswith((b"TYPE", b"SIZE"))]
    assert types == [b"TYPE I", b"SIZE a", b"TYPE A", b"SIZE a"]


async def test_nothing_comes_between_rnfr_and_rnto(home: House, server: Scripted) -> None:
    async with home.guest() as one, home.guest() as other:
        assert (await one.ask("RNFR a")).code == 350
        assert (await other.ask("RNFR /deep/a")).code == 350
        assert (await one.ask("RNTO b")).code == 250
        assert (await other.ask("RNTO /deep/b")).code == 250
    assert {b"/b", b"/deep/b"} < set(server.files)


async def test_an_rnfr_that_no_longer_holds_is_told_at_rnto(home: House, server: Scripted) -> None:
    async with home.guest() as client:
        assert (await client.ask("RNFR a")).code == 350
        del server.files[b"/a"]
        assert (await client.ask("RNTO b")).code == 550


async def test_opts_that_the_server_takes_are_replayed(home: House, server: Scripted) -> None:
    server.always["FEAT"] = says("211-Features:", " MLST size*;type*;", " UTF8", "211 End")
    async with home.guest() as one, home.guest() as other:
        assert (await one.ask("OPTS MLST size;")).code == 200
        await other.ask("MLST a")
        await one.ask("MLST a")
    lines = [line for line in server.visits[0].lines if line.startswith((b"OPTS", b"MLST"))]
    assert lines == [
        b"OPTS MLST size;",
        b"OPTS MLST size;type;",
        b"MLST a",
        b"OPTS MLST size;",
        b"MLST a",
    ]


async def test_an_unknown_verb_pins_its_client_and_says_so(server: Scripted) -> None:
    async with house(server, upstream={"sessions": 2}) as home:
        async with home.guest() as pinned, home.guest() as other:
            assert (await pinned.ask("SITE UMASK 077")).code == 200
            assert (await pinned.ask("SITE UMASK 077")).code == 200
            visit = server.visits[0]
            assert (await other.ask("SIZE a")).code == 213
            assert visit.lines.count(b"SIZE a") == 0
            assert (await pinned.ask("SIZE a")).code == 213
            assert visit.lines.count(b"SIZE a") == 1
        assert [event.verb for event in home.told(Pinned)] == ["SITE UMASK"]
        await home.until_quiet()
        assert visit not in server.here


async def test_a_harmless_site_word_pins_nobody(home: House) -> None:
    async with home.guest() as one, home.guest() as other:
        assert (await one.ask("SITE CHMOD 644 a")).code == 200
        assert (await other.ask("SITE CHMOD 644 a")).code == 200
    assert home.told(Pinned) == []
