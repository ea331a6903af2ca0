"""PORT and the command in one write, and what a server may make of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from loadtest.ports import free_port
from proxy.events import CommandsRunAhead, TransferEnded
from tests.support.house import House, house
from tests.support.misdeeds import hangs_up, says
from tests.support.raw_client import patiently
from tests.support.scripted import Handler, Scripted, Visit, scripted

CONTENT = b"0123456789"
FILES = {b"/ten": CONTENT}
TOGETHER = {"data": "active", "pipelining": "on", "sessions": 1}
AUTO = TOGETHER | {"data": "auto"}


@contextlib.asynccontextmanager
async def together() -> AsyncIterator[tuple[Scripted, House]]:
    """A server, and a proxy that sends it PORT and the command in one write."""
    async with scripted(FILES) as server, house(server, upstream=TOGETHER) as home:
        yield server, home


def hears_both_first(then: Handler) -> Handler:
    """Hear the command behind PORT before anything is said."""

    async def answer(visit: Visit, argument: bytes) -> None:
        while visit._received.count(b"\r\n") < 1:
            async with patiently():
                visit._received += await visit.read()
        await then(visit, argument)

    return answer


async def obeys(visit: Visit, argument: bytes) -> None:
    await visit.obey_normally("PORT", argument)


async def test_port_and_a_download_come_in_one_write() -> None:
    async with together() as (server, home), home.guest() as client:
        server.plan("PORT", hears_both_first(obeys), hears_both_first(obeys))
        assert await client.fetch("RETR /ten") == CONTENT
        assert await client.fetch("NLST") == b"ten\r\n"


async def test_an_upload_waits_for_the_answer_to_port() -> None:
    heard: list[bytes] = []

    async def looks(visit: Visit, argument: bytes) -> None:
        await asyncio.sleep(0.02)
        heard.append(visit._received)
        await visit.obey_normally("PORT", argument)

    async with together() as (server, home):
        server.plan("PORT", looks)
        async with home.guest() as client:
            await client.store("STOR /new", CONTENT)
        assert server.files[b"/new"] == CONTENT
    assert heard == [b""]


async def test_a_restart_stands_directly_before_its_transfer() -> None:
    async with together() as (server, home):
        async with home.guest() as client:
            assert (await client.ask("TYPE I")).code == 200
            assert (await client.ask("REST 4")).code == 350
            assert await client.fetch("RETR /ten") == CONTENT[4:]
        assert server.visits[0].lines[-2:] == [b"REST 4", b"RETR /ten"]


async def test_a_550_is_a_550() -> None:
    async with together() as (server, home):
        async with home.guest() as client:
            await client.expect_refusal("RETR /missing", 550)
            assert await client.fetch("RETR /ten") == CONTENT
        assert server.logins == 1


async def test_a_refused_port_is_explained() -> None:
    async with together() as (server, home):
        server.plan("PORT", says("500 Illegal PORT command."))
        server.plan("RETR", says("425 Use PORT or PASV first."))
        async with home.guest() as client:
            heard = await client.expect_refusal("RETR /ten", 425)
            assert "Illegal PORT" in heard.text
            assert await client.fetch("RETR /ten") == CONTENT
        assert server.logins == 1


async def test_a_server_that_sends_it_elsewhere_is_not_lent_again() -> None:
    async with together() as (server, home):
        server.plan("PORT", says("500 Illegal PORT command."))
        server.plan("RETR", says("150 Somewhere else."))
        async with home.guest() as client:
            await client.expect_refusal("RETR /ten", 425)
            assert await client.fetch("RETR /ten") == CONTENT
        assert server.logins == 2


async def test_a_server_that_begins_before_it_answers_port_is_never_hurried_again() -> None:
    async def both_at_once(visit: Visit, argument: bytes) -> None:
        await visit._next_line()
        await visit.say("150 Here it comes.")
        await visit.obey_normally("PORT", argument)
        with await visit.data():
            while await visit.read():
                pass

    async with together() as (server, home):
        server.plan("PORT", both_at_once)
        async with home.guest() as client:
            assert await client.fetch("RETR /ten") == CONTENT
            await client.expect_silence()
            assert await client.fetch("RETR /ten") == CONTENT
        assert server.logins == 2
        assert [event.allowed for event in home.told(CommandsRunAhead)] == [False]


async def test_a_refusal_that_overtakes_the_answer_to_port_is_the_clients() -> None:
    async def refuses_first(visit: Visit, argument: bytes) -> None:
        await visit._next_line()
        await visit.say("550 No such file.")
        await visit.say("200 Connected.")

    async with together() as (server, home), home.guest() as client:
        server.plan("PORT", refuses_first)
        await client.expect_refusal("RETR /missing", 550)
        assert await client.fetch("RETR /ten") == CONTENT


async def test_a_session_that_died_while_idle_is_replaced_without_a_word() -> None:
    async with together() as (server, home):
        async with home.guest() as client:
            server.plan("PORT", hangs_up)
            assert await client.fetch("RETR /ten") == CONTENT
        assert server.logins == 2


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("PORT", "500 Illegal PORT command."),
        ("RETR", "425 Cannot connect."),
    ],
)
async def test_auto_falls_back_to_passive_and_the_client_hears_nothing(
    verb: str, said: str
) -> None:
    async with scripted(FILES) as server, house(server, upstream=AUTO) as home:
        server.plan(verb, says(said))
        if verb == "PORT":
            server.plan("RETR", says("425 Use PORT or PASV first."))
        async with home.guest() as client:
            for _ in range(2):
                assert await client.fetch("RETR /ten") == CONTENT
        assert (server.count("PORT"), server.count("PASV")) == (1, 2)
        assert [event.result for event in home.told(TransferEnded)] == ["done", "done"]


async def test_auto_tries_once_whatever_is_configured_meanwhile() -> None:
    async with scripted(FILES) as server, house(server, upstream=AUTO) as home:
        where = {"host": server.host, "port": server.port}

        async def is_in_time_for_a_reload(visit: Visit, argument: bytes) -> None:
            await home.reload(upstream=AUTO | where | {"data": "passive"})
            await visit.say("425 Cannot connect.")

        server.plan("RETR", is_in_time_for_a_reload)
        async with home.guest() as client:
            assert await client.fetch("RETR /ten") == CONTENT
        assert (server.count("PORT"), server.count("PASV")) == (1, 1)


async def test_auto_does_not_wait_long_for_a_server_that_cannot_reach_us(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def connects_for_ever(visit: Visit, argument: bytes) -> None:
        while await visit.read():
            pass

    monkeypatch.setattr("proxy.exchange.server_data.TRIAL", 0.05)
    async with scripted(FILES) as server, house(server, upstream=AUTO) as home:
        server.plan("RETR", connects_for_ever)
        async with home.guest() as client:
            assert await client.fetch("RETR /ten") == CONTENT
        assert (server.count("PORT"), server.count("PASV")) == (1, 1)


async def test_auto_is_active_where_that_works_and_passive_for_uploads() -> None:
    async with scripted(FILES) as server, house(server, upstream=AUTO) as home:
        async with home.guest() as client:
            assert await client.fetch("RETR /ten") == CONTENT
            await client.store("STOR /new", CONTENT)
            assert await client.fetch("NLST") == b"new\r\nten\r\n"
        assert (server.count("PORT"), server.count("PASV")) == (2, 1)


async def test_auto_keeps_a_550_and_goes_on_in_active_mode() -> None:
    async with scripted(FILES) as server, house(server, upstream=AUTO) as home:
        async with home.guest() as client:
            await client.expect_refusal("RETR /missing", 550)
            assert await client.fetch("RETR /ten") == CONTENT
        assert server.count("PASV") == 0


async def test_auto_is_passive_while_no_port_is_left_to_offer() -> None:
    budget = {"time_wait": 100.0, "connections": 50}
    async with scripted(FILES) as server:
        port = free_port()
        upstream = AUTO | {"ports": f"{port}-{port}"}
        async with house(server, upstream=upstream, budget=budget) as home:
            async with home.guest() as client:
                for _ in range(2):
                    assert await client.fetch("RETR /ten") == CONTENT
            assert (server.count("PORT"), server.count("PASV")) == (1, 1)
