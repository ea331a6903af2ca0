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
