"""The state as one event: complete enough to understand, small enough for a log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from proxy.events import StateTold
from proxy.ops.dump import MOST, state, tasks
from tests.support.house import House, house
from tests.support.scripted import Scripted, scripted


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted({b"/file": b"content"}) as server:
        yield server


def told(home: House) -> StateTold:
    app = home.app
    return state(app.phase, app.roster, app.servers)


async def test_it_tells_who_is_here_and_what_is_used(server: Scripted) -> None:
    async with house(server) as home, home.guest() as client:
        await client.fetch("RETR /file")
        await home.until_settled()
        seen = told(home)
        (session,) = seen.sessions
        assert session.endswith(" idle")
        assert [seat.endswith(" IDLE") for seat in seen.upstream] == [True]
        assert seen.budgets == ("1 open, 1 of 100 used",)
        assert (seen.phase, seen.waiting) == ("serving", 0)


async def test_it_tells_no_password_and_no_path(server: Scripted) -> None:
    async with house(server) as home, home.guest() as client:
        await client.fetch("RETR /file")
        seen = repr(told(home))
        assert "secret" not in seen
        assert "/file " not in seen


async def test_tasks_at_the_same_place_are_counted() -> None:
    go_on = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(_waits(go_on))
        await asyncio.sleep(0)
        assert any(one.startswith("3 _waits at ") and "test_dump.py:" in one for one in tasks())
        go_on.set()


async def test_a_long_list_is_cut_and_says_so(server: Scripted) -> None:
    async with house(server) as home:
        for number in range(MOST + 3):
            home.app.roster.arrived(_Guest(str(number)))
        seen = told(home).sessions
        assert len(seen) == MOST + 1
        assert seen[-1] == "and 3 more"
        for guest in home.app.roster:
            home.app.roster.left(guest)


class _Guest:
    doing = "idle"

    def __init__(self, name: str) -> None:
        self.id = name

    def ask_to_leave(self) -> None:
        """Stay: the test removes it."""

    def throw_out(self) -> None:
        """Stay."""


async def _waits(go_on: asyncio.Event) -> None:
    await go_on.wait()
