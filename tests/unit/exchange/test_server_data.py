from __future__ import annotations

import pytest

from loadtest.ports import free_port
from tests.support.house import house
from tests.support.misdeeds import says
from tests.support.raw_client import accept, read_all
from tests.support.scripted import scripted

CONTENT = b"0123456789"
FILES = {b"/ten": CONTENT, b"/big": bytes(16 << 20)}


@pytest.mark.parametrize("mode", ["passive", "active"])
async def test_the_same_sequence_works_in_either_mode_towards_the_server(mode: str) -> None:
    async with scripted(FILES) as server, house(server, upstream={"data": mode}) as home:
        async with home.guest() as client:
            assert await client.fetch("RETR /ten") == CONTENT
            await client.store("STOR /new", CONTENT)
            await client.expect_refusal("RETR /missing", 550)
            assert (await client.fetch("LIST")).split() == [b"big", b"new", b"ten"]
        assert server.files[b"/new"] == CONTENT


async def test_a_server_that_refuses_port_is_explained() -> None:
    async with scripted(FILES) as server, house(server, upstream={"data": "active"}) as home:
        server.plan("PORT", says("500 Illegal PORT command."))
        async with home.guest() as client:
            await client.expect_refusal("RETR /ten", 425)
            assert await client.fetch("RETR /ten") == CONTENT


async def test_resting_upstream_ports_are_explained_when_none_is_left() -> None:
    port = free_port()
    upstream = {"data": "active", "ports": f"{port}-{port}"}
    budget = {"time_wait": 100.0, "connections": 50}
    async with (
        scripted(FILES) as server,
        house(server, upstream=upstream, budget=budget) as home,
        home.guest() as client,
    ):
        assert await client.fetch("RETR /ten") == CONTENT
        heard = await client.expect_refusal("RETR /ten", 425)
        assert "upstream.ports" in heard.text


async def test_a_big_file_arrives_whole_in_active_mode() -> None:
    async with scripted(FILES) as server, house(server) as home, home.guest() as client:
        with await client.active() as listening:
            await client.say("RETR /big")
            with await accept(listening) as data:
                await client.expect(150)
                assert await read_all(data) == FILES[b"/big"]
            await client.expect(226)
