from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from proxy.upstream.identity import Credentials
from tests.support.basin import basin
from tests.support.honest import HangUp
from tests.support.misdeeds import keeps_saying
from tests.support.scripted import Scripted, Visit, scripted

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


async def test_the_server_hangs_up_first_so_that_it_counts_us_no_more(server: Scripted) -> None:
    heard: list[bytes] = []

    async def says_goodbye_slowly(visit: Visit, argument: bytes) -> None:
        await visit.say("221 Goodbye.")
        with suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                heard.append(await visit.read())  # empty: we have left
        raise HangUp

    server.plan("QUIT", says_goodbye_slowly)
    async with basin(server) as pool:
        (await pool.lease(ALICE)).release()
        await pool.pool.close()
    assert heard == []


@pytest.mark.parametrize("last_words", ["150 Wait.", "221 Goodbye."])
async def test_a_server_that_goes_on_talking_after_quit_keeps_no_place(
    server: Scripted, monkeypatch: pytest.MonkeyPatch, last_words: str
) -> None:
    monkeypatch.setattr("proxy.upstream.farewell.GOODBYE", 0.1)

    server.plan("QUIT", keeps_saying(last_words))
    async with basin(server) as pool:
        (await pool.lease(ALICE)).release()
        pool.pool.send_home("unfit")
        await pool.until(lambda: not pool.pool.seats)
