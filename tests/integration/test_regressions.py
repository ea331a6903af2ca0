"""What once broke under attack, each reduced to its few lines."""

from __future__ import annotations

import pytest

from proxy.events import BanSuspected
from tests.support.honest import HONEST, Handler
from tests.support.house import house
from tests.support.misdeeds import says
from tests.support.scripted import Scripted, Visit, scripted

FILES = {b"/a": b"alpha"}


def refuses_all_but_rnto(server: Scripted) -> None:
    """Do as proftpd: behind RNFR every other command is out of sequence, whoever sends it."""

    def guarded(verb: str, honest: Handler) -> Handler:
        async def answer(visit: Visit, argument: bytes) -> None:
            before = visit.lines[-2] if len(visit.lines) > 1 else b""
            if before.startswith(b"RNFR") and verb != "RNTO":
                visit.lines[-1] = before  # it stays so until RNTO comes
                await visit.say("501 Bad sequence of commands")
            else:
                await honest(visit, argument)

        return answer

    for verb, honest in HONEST.items():
        server.always[verb] = guarded(verb, honest)


async def test_a_rename_that_was_only_begun_disturbs_nobody() -> None:
    async with scripted(FILES) as server, house(server, upstream={"sessions": 1}) as home:
        refuses_all_but_rnto(server)
        async with home.guest() as one, home.guest() as other:
            assert (await one.ask("RNFR a")).code == 350
            assert (await other.ask("SIZE a")).code == 213
            assert (await one.ask("RNTO b")).code == 250
            assert await other.fetch("RETR b") == b"alpha"


@pytest.mark.parametrize("data", ["active", "passive"])
async def test_refused_files_let_nobody_suspect_a_ban(data: str) -> None:
    async with scripted(FILES) as server, house(server, upstream={"data": data}) as home:
        async with home.guest() as client:
            for _ in range(10):
                await client.expect_refusal("RETR missing", 550)
            assert await client.fetch("RETR a") == b"alpha"
        assert home.told(BanSuspected) == []


async def test_a_file_refused_before_the_server_connects_costs_no_ban() -> None:
    async with scripted(FILES) as server:
        server.always["STOR"] = says("553 Not here.")
        async with house(server, upstream={"data": "active"}) as home, home.guest() as client:
            for _ in range(10):
                await client.expect_refusal("STOR x", 553)
            assert await client.fetch("RETR a") == b"alpha"
            assert home.told(BanSuspected) == []
