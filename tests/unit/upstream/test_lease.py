from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from proxy.ftp.command import Needs
from proxy.ftp.virtual import BINARY, State
from proxy.upstream.session import Lost
from tests.support.basin import Basin, basin
from tests.support.misdeeds import hangs_up, says, waits_for
from tests.support.scripted import Scripted, scripted


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted() as server:
        yield server


@pytest.fixture
async def pool(server: Scripted) -> AsyncIterator[Basin]:
    async with basin(server, sessions=1) as pool:
        yield pool


WANTED = State(cwd=b"/deep", type=BINARY, options={b"UTF8": b"ON"})


async def test_restore_sends_what_differs_and_only_once(pool: Basin, server: Scripted) -> None:
    lease = await pool.lease()
    before = len(server.verbs)
    assert await lease.restore(WANTED, Needs.ALL) is None
    assert server.visits[0].lines[before:] == [b"OPTS UTF8 ON", b"TYPE I", b"CWD /deep"]
    assert await lease.restore(WANTED, Needs.ALL) is None
    assert len(server.verbs) == before + 3
    lease.release()


async def test_restore_sends_only_what_is_needed(pool: Basin, server: Scripted) -> None:
    lease = await pool.lease()
    before = len(server.verbs)
    assert await lease.restore(WANTED, Needs.NOTHING) is None
    assert await lease.restore(WANTED, Needs.CWD) is None
    assert server.verbs[before:] == ["CWD"]
    lease.release()


async def test_a_refused_directory_is_returned_and_nothing_follows_it(
    pool: Basin, server: Scripted
) -> None:
    server.plan("TYPE", says("504 No."))
    lease = await pool.lease()
    refusal = await lease.restore(WANTED, Needs.ALL)
    assert refusal is not None
    assert refusal.code == 504
    assert server.count("CWD") == 0
    lease.release()


async def test_a_refused_option_does_no_harm(pool: Basin, server: Scripted) -> None:
    server.plan("OPTS", says("501 No."))
    lease = await pool.lease()
    assert await lease.restore(WANTED, Needs.ALL) is None
    lease.release()


async def test_a_server_lost_while_restoring_is_told(pool: Basin, server: Scripted) -> None:
    server.plan("CWD", hangs_up)
    lease = await pool.lease()
    with pytest.raises(Lost):
        await lease.restore(WANTED, Needs.ALL)
    lease.release()


@pytest.mark.parametrize("verb", ["OPTS", "TYPE", "CWD"])
async def test_a_step_broken_off_is_never_believed(
    pool: Basin, server: Scripted, verb: str
) -> None:
    go_on = asyncio.Event()
    server.plan(verb, waits_for(go_on, verb))
    lease = await pool.lease()
    home = lease.session.state.copy()
    async with asyncio.TaskGroup() as tasks:
        restoring = tasks.create_task(lease.restore(WANTED, Needs.ALL))
        await server.until_heard(verb)
        restoring.cancel()
    lease.release()
    go_on.set()
    await pool.until(lambda: pool.pool.has_room)
    again = await pool.lease()
    assert await again.restore(home, Needs.ALL) is None
    assert server.visits[-1].cwd == b"/"
    assert server.visits[-1].type == b"A"
    again.release()
