from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from loadtest.ports import free_port
from proxy.upstream.dial import Busy, DialError
from proxy.upstream.knock import knock
from tests.support.basin import basin
from tests.support.misdeeds import says
from tests.support.scripted import GREETING, Scripted, scripted


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted() as server:
        yield server


async def test_a_knock_logs_nobody_in_and_leaves_nothing_behind(server: Scripted) -> None:
    async with basin(server) as pool:
        assert await knock(pool.fleet.ways[0], pool.now)
        assert (server.logins, server.count("QUIT")) == (0, 1)
        assert pool.budget.open == 0
        await pool.until(lambda: not pool.uses)


async def test_a_knock_takes_a_place_or_does_not_go(server: Scripted) -> None:
    async with basin(server, sessions=1) as pool:
        lease = await pool.lease()
        assert not await knock(pool.fleet.ways[0], pool.now)
        assert server.total == 1
        lease.release()


async def test_a_knock_takes_a_slot_or_does_not_go(server: Scripted) -> None:
    async with basin(server, sessions=2, budget=1) as pool:
        lease = await pool.lease()
        assert not await knock(pool.fleet.ways[0], pool.now)
        assert server.total == 1
        lease.release()


async def test_a_server_that_is_full_is_there(server: Scripted) -> None:
    server.plan(GREETING, says("421 Too many connections."))
    async with basin(server) as pool:
        with pytest.raises(Busy):
            await knock(pool.fleet.ways[0], pool.now)
        await pool.until(lambda: not pool.uses)


async def test_nobody_at_home_is_told_and_leaves_nothing_behind(server: Scripted) -> None:
    async with basin(server) as pool:
        pool.adopt(free_port("127.0.0.1"))
        with pytest.raises(DialError):
            await knock(pool.fleet.ways[0], pool.now)
        await pool.until(lambda: not pool.uses)
        assert pool.budget.open == 0
