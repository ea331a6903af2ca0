from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from proxy.shaping.ledger import Kind
from proxy.upstream.egress import Egress
from tests.support.basin import basin
from tests.support.scripted import Scripted, scripted


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted() as server:
        yield server


async def test_free_is_what_is_neither_open_nor_cooling(server: Scripted) -> None:
    async with basin(server, budget=5) as pool:
        egress = Egress(None, pool.budget, pool.pool)
        assert egress.free == 5
        slot = pool.budget.reserve(Kind.UPLOAD, "192.0.2.7")
        assert egress.free == 4
        assert slot is not None
        pool.budget.cancel(slot)
        assert egress.free == 5


async def test_those_who_wait_are_told_of_both_and_each_is_told_of_its_demand(
    server: Scripted,
) -> None:
    class Queue:
        def slots(self, egress: Egress) -> tuple[int, float]:
            return (5, 2.0) if egress is way else (0, 0.0)

        def seats(self) -> tuple[int, float]:
            return 3, 2.0

    roused: list[int] = []
    async with basin(server) as pool:
        way = Egress(None, pool.budget, pool.pool)
        way.serve(lambda: roused.append(1), Queue())
        slot = pool.budget.reserve(Kind.UPLOAD, "192.0.2.7")
        assert slot is not None
        pool.budget.cancel(slot)
        assert len(roused) == 1
        pool.pool.rouse()
        assert len(roused) == 2
        assert (pool.budget._wanted(), pool.pool.places._wanted()) == ((5, 2.0), (3, 2.0))
