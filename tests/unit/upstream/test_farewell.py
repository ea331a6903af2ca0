from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from proxy.upstream.identity import Credentials
from tests.support.basin import basin
from tests.support.scripted import Scripted, scripted

ALICE = Credentials(b"alice", b"secret")


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted() as server:
        yield server


async def test_an_idle_session_says_quit_and_its_seat_is_free_afterwards(
    server: Scripted,
) -> None:
    async with basin(server) as pool:
        lease = await pool.lease(ALICE)
        lease.release()
        await pool.pool.close()
        assert pool.pool.seats == ()
        assert server.visits[0].lines[-1] == b"QUIT"
