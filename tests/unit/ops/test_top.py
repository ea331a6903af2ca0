"""One screen of a running proxy, and what it does without a terminal."""

from __future__ import annotations

import asyncio
import io

import pytest
from rich.console import Console

from proxy.ops.ask import StatusAddress
from proxy.ops.top import Screen, follow
from tests.support.scripted import scripted

from .looking import get, open_house


async def test_a_pipe_gets_one_look_with_everything_on_it() -> None:
    output = io.StringIO()
    async with (
        scripted({b"/file": b"content"}) as server,
        open_house(server) as home,
        home.guest() as client,
    ):
        await client.fetch("RETR /file")
        place = StatusAddress.written(home.status, None)
        await asyncio.to_thread(follow, place, Console(file=output, width=200), 1.0)
    told = output.getvalue()
    for part in ("serving", "1 clients", "1 of 100", "0 of 1000 wait", "alice", "127.0.0.1"):
        assert part in told


async def test_a_rate_is_told_over_several_looks() -> None:
    async with scripted() as server, open_house(server) as home:
        seen = (await get(home.status, "/api/status")).told
    screen = Screen(30)
    screen.drawn(seen)
    totals = {**seen["totals"], "transfers": 5, "bytes_moved": 20480}
    picture = screen.drawn({**seen, "at": seen["at"] + 10, "totals": totals})
    console = Console(width=200)
    with console.capture() as capture:
        console.print(picture)
    assert "30 transfers a minute \u00b7 2.0 KiB/s" in capture.get()


async def test_workers_are_counted_where_there_are_several() -> None:
    async with scripted() as server, open_house(server) as home:
        seen = (await get(home.status, "/api/status")).told
    workers = [{"number": 1, "answers": True}, {"number": 2, "answers": False}]
    for told, words in (
        (seen, "serving \u00b7 0 clients"),
        ({**seen, "workers": workers}, "1 of 2"),
    ):
        console = Console(width=200)
        with console.capture() as capture:
            console.print(Screen(30).drawn(told))
        assert words in capture.get()


async def test_several_machines_are_on_the_screen() -> None:
    async with scripted() as server, open_house(server) as home:
        seen = (await get(home.status, "/api/status")).told
    machine = {"address": "two.example:21", "state": "standby", "down_for": None}
    machines = [{**machine, "sessions": 0, "elsewhere": 1, "limit": 2}]
    console = Console(width=200)
    with console.capture() as capture:
        console.print(Screen(30).drawn({**seen, "machines": machines}))
    assert "two.example:21" in (told := capture.get())
    assert "0 of 2 (1 dealt out but not used here)" in told


@pytest.mark.parametrize("width", [200, 80, 40])
async def test_many_clients_do_not_push_the_budget_off_the_screen(width: int) -> None:
    async with scripted() as server, open_house(server) as home, home.guest():
        seen = (await get(home.status, "/api/status")).told
    client = {**seen["sessions"][0], "doing": "RETR", "path": "a/long way/" * 20, "phase": "data"}
    crowded = {**seen, "sessions": [client] * 500, "sessions_total": 500}
    console = Console(width=width, height=30)
    with console.capture() as capture:
        console.print(Screen(30).drawn(crowded))
    lines = capture.get().splitlines()
    assert len(lines) <= 30
    assert max(map(len, lines)) <= width
