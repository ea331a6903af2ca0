"""The whole visit: what is looked at, in which order, and where it stops."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from loadtest.ports import free_port
from proxy.ops.doctor.credentials import Credentials
from proxy.ops.doctor.examination import Examination, Wishes
from proxy.ops.doctor.seen import Met
from tests.support.honest import GREETING
from tests.support.house import config
from tests.support.misdeeds import hangs_up, last_says, says
from tests.support.scripted import Scripted, scripted

ALICE = Credentials("alice", "wonderland")


async def examined(
    server: Scripted, login: Credentials | None = ALICE, **sections: Any
) -> Examination:
    wishes = {
        name: sections.pop(name)
        for name in ("write_test", "probe_limits", "tls")
        if name in sections
    }
    sections = {"listen": f"127.0.0.1:{free_port()}", **sections}
    told: list[str] = []
    visit = Examination(
        config(server, **sections), Wishes(login, **wishes), lambda step: told.append(step.name)
    )
    await asyncio.to_thread(visit.run)
    assert told == [step.name for step in visit.steps]
    return visit


def names(visit: Examination) -> list[str]:
    return [step.name for step in visit.steps]


BEFORE = ["ftpweir", "machine", "resolve"]


async def test_all_steps_in_their_order() -> None:
    async with scripted({b"/file": b""}) as server:
        visit = await examined(server, write_test="/")
    assert names(visit) == [
        *BEFORE,
        *("connect", "greeting", "login", "server", "pasv", "epsv", "write", "port"),
    ]
    assert server.verbs[-1] == "QUIT"
    assert visit.seen.connections == 4  # no EPSV there


async def test_sessions_are_counted_only_when_asked_for() -> None:
    async with scripted() as server:
        visit = await examined(server, probe_limits=True)
    assert visit.seen.sessions is not None
    assert "sessions" in names(visit)


@pytest.mark.parametrize(
    ("verb", "answer", "last"),
    [
        (GREETING, last_says("421 Too many."), "greeting"),
        (GREETING, hangs_up, "greeting"),
        ("PASS", says("530 Login incorrect."), "login"),
    ],
)
async def test_what_fails_makes_the_rest_pointless(verb: str, answer: Any, last: str) -> None:
    async with scripted() as server:
        server.always[verb] = answer
        visit = await examined(server)
    assert names(visit)[-1] == last
    assert visit.steps[-1].is_good is False
    assert visit.seen.connections == 1


async def test_a_line_lost_in_the_middle_is_noted() -> None:
    async with scripted() as server:
        server.always["PWD"] = hangs_up
        visit = await examined(server)
    assert visit.seen.lost == "the server closed the connection"
    assert names(visit)[-1] == "control"


async def test_without_a_user_the_server_is_asked_who_it_is() -> None:
    async with scripted() as server:
        visit = await examined(server, login=None)
    assert names(visit)[-1] == "login"
    assert visit.seen.login is None
    assert visit.seen.features is not None
    assert "USER" not in server.verbs


async def test_a_refused_port_costs_a_look_at_the_standard_one() -> None:
    async with scripted() as server:
        visit = await examined(server, upstream={"port": free_port()})
    assert visit.seen.attempts[0].met is Met.REFUSAL
    assert visit.seen.connections == 2
    assert server.total == 0


async def test_tls_that_is_not_offered_ends_the_visit() -> None:
    async with scripted() as server:
        server.always["AUTH"] = says("502 No.")
        visit = await examined(server, tls="explicit")
    assert visit.seen.tls is not None
    assert (visit.seen.tls.offered, visit.seen.tls.failure) == (False, "502 No.")
    assert "USER" not in server.verbs


async def test_a_ca_that_cannot_be_read_ends_the_visit() -> None:
    async with scripted() as server:
        server.always["AUTH"] = says("234 Go on.")
        visit = await examined(server, tls="explicit", upstream={"ca": "/nowhere/ca.pem"})
    assert visit.seen.tls is not None
    assert "/nowhere/ca.pem" in visit.seen.tls.files_problem
    assert "USER" not in server.verbs


async def test_no_more_connections_than_the_firewall_tolerates() -> None:
    async with scripted() as server:
        visit = await examined(server, budget={"connections": 4, "reserved": 2})
    assert visit.seen.connections == 2
    assert visit.seen.no_room
    assert server.total + server.data_connections == 2


async def test_a_budget_that_nobody_enforces_bounds_nothing() -> None:
    async with scripted() as server:
        visit = await examined(server, budget={"connections": 1, "enforce": "off"})
    assert not visit.seen.no_room


async def test_a_name_without_an_address_is_the_end() -> None:
    async with scripted() as server:
        visit = await examined(server, upstream={"host": "ftp.nowhere.invalid"})
    assert names(visit) == BEFORE
    assert visit.steps[-1].is_good is False
