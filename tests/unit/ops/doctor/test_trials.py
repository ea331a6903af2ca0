"""A file written and removed again; sessions counted."""

from __future__ import annotations

import asyncio
import socket

import pytest

from proxy.ops.doctor import trials
from proxy.ops.doctor.credentials import Credentials
from proxy.ops.doctor.data import DataVisit, Manner
from proxy.ops.doctor.seen import Sessions, Write
from proxy.ops.doctor.trials import count_sessions, try_to_write
from proxy.ops.doctor.visit import greet
from proxy.ops.doctor.wire import ControlLine, Dialler, Purse
from tests.support.honest import GREETING
from tests.support.misdeeds import last_says, says
from tests.support.scripted import Scripted, Visit, scripted

PATIENCE = 20.0
ALICE = Credentials("alice", "wonderland")


async def written(server: Scripted, *, room: int | None = None) -> Write | None:
    def visit() -> Write | None:
        line = ControlLine(socket.create_connection((server.host, server.port)))
        try:
            greet(line, PATIENCE)
            dialler = Dialler(Purse(room), patience=PATIENCE, source=None)
            data = DataVisit(line, dialler, Manner(PATIENCE, PATIENCE))
            return try_to_write(line, data, "/in/", PATIENCE)
        finally:
            line.close()

    return await asyncio.to_thread(visit)


async def counted(
    server: Scripted, login: Credentials | None = None, room: int | None = None
) -> Sessions:
    dialler = Dialler(Purse(room), patience=PATIENCE, source=None)
    return await asyncio.to_thread(
        count_sessions,
        dialler,
        server.host,
        server.port,
        login=login,
        patience=PATIENCE,
        already=1,
    )


async def test_a_file_is_written_under_a_new_name_and_removed() -> None:
    async with scripted() as server:
        seen = await written(server)
        assert seen is not None
        assert (seen.code, seen.had_begun) == (226, True)
        assert seen.path.startswith("/in/ftpweir-doctor-")
        assert server.verbs[-2:] == ["STOR", "DELE"]
        assert server.files == {}


async def test_a_file_that_is_refused_is_not_removed() -> None:
    async with scripted() as server:
        server.always["STOR"] = says("553 No.")
        assert await written(server) is not None
        assert "DELE" not in server.verbs


async def test_without_a_data_connection_nothing_is_written() -> None:
    async with scripted() as server:
        assert await written(server, room=0) is None
        assert "STOR" not in server.verbs


def limit(server: Scripted, most: int, verb: str, words: str) -> None:
    """Let the server refuse more than so many visitors at this verb."""

    async def judge(visit: Visit, argument: bytes) -> None:
        if len(server.here) > most:
            await last_says(words)(visit, argument)
        await visit.obey_normally(verb, argument)

    server.always[verb] = judge


@pytest.mark.parametrize(
    ("verb", "words", "login"),
    [(GREETING, "421 Too many.", None), ("PASS", "530 Too many users.", ALICE)],
)
async def test_sessions_are_counted_up_to_the_refusal(
    verb: str, words: str, login: Credentials | None
) -> None:
    async with scripted() as server:
        limit(server, 3, verb, words)
        found = await counted(server, login)
        assert (found.most, found.refusal) == (4, words)  # with the one that is open already
        await server.until(lambda: not server.here)


async def test_the_count_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "MOST_SESSIONS", 4)
    async with scripted() as server:
        assert await counted(server) == Sessions(4, "", 4)


async def test_the_count_ends_where_the_budget_does() -> None:
    async with scripted() as server:
        assert (await counted(server, room=2)).most == 3
        assert server.total == 2
