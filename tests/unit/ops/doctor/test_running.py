"""What the running ftpweir says, and what somebody else at its address does."""

from __future__ import annotations

import asyncio
import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from loadtest.ports import free_port
from proxy.config import Status
from proxy.ops.doctor.running import ask_running
from proxy.ops.doctor.seen import RefusedFor
from tests.support.house import house
from tests.support.scripted import scripted

TOKEN = "0123456789abcdef"
BUDGET = {
    "name": "default",
    "open": 3,
    "cooling": 4,
    "limit": 380,
    "next_slot": 2.5,
    "banned_for": 0.0,
    "sessions_elsewhere": 1,
    "sessions_limit": 4,
    "sessions_configured": 4,
    "configured": 380,
    "is_lowered": False,
}


def refusal(age: float, reason: str, sentence: str) -> dict[str, object]:
    return {"at": time.time() - age, "reason": reason, "sentence": sentence}


def answers(**changes: object) -> dict[str, Any]:
    return {
        "/api/budget": {"budgets": [BUDGET | changes]},
        "/api/upstream": {"sessions": [{"budget": "default"}] * 2, "trouble": None},
        "/api/refusals": {"refusals": []},
    }


@contextmanager
def served(told: dict[str, Any], token: str | None = None) -> Iterator[Status]:
    """Answer as told at an address, whose status section is yielded."""

    class Answering(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = f"Bearer {token}" if token else None
            body = json.dumps(told.get(self.path)).encode()
            self.send_response(200 if self.headers["Authorization"] == wanted else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with http.server.HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        place = f"127.0.0.1:{server.server_port}"
        yield Status.model_validate({"address": place} | ({"token": token} if token else {}))
        server.shutdown()
        thread.join()


async def test_a_real_one_is_understood() -> None:
    port = free_port()
    status = Status.model_validate({"address": f"127.0.0.1:{port}"})
    async with (
        scripted() as server,
        house(server, status=f"127.0.0.1:{port}") as weir,
        weir.guest(),
    ):
        seen = await asyncio.to_thread(ask_running, status)
    assert seen is not None
    assert (seen.limit, seen.sessions, seen.banned_for, seen.trouble) == (100, 1, 0.0, "")
    assert seen.used >= 1


@pytest.mark.parametrize("token", [None, TOKEN])
def test_the_budget_and_the_ban(token: str | None) -> None:
    with served(answers(banned_for=30.5), token) as status:
        seen = ask_running(status)
    assert seen is not None
    assert (seen.used, seen.limit, seen.next_slot, seen.banned_for) == (7, 380, 2.5, 30.5)


def test_refusals_of_the_last_hour_are_counted_by_reason() -> None:
    told = answers()
    told["/api/refusals"]["refusals"] = [
        refusal(1, "budget", "latest\x1b"),
        refusal(2, "queue_full", "full"),
        refusal(3, "budget", "before"),
        refusal(7200, "idle", "long ago"),
    ]
    with served(told) as status:
        seen = ask_running(status)
    assert seen is not None
    assert seen.refusals == (
        RefusedFor("budget", 2, "latest?"),
        RefusedFor("queue_full", 1, "full"),
    )


@pytest.mark.parametrize(("is_over", "words"), [(False, "421 Too many."), (True, "")])
def test_trouble_counts_until_it_is_over(is_over: bool, words: str) -> None:
    told = answers()
    told["/api/upstream"]["trouble"] = {"words": "421 Too many.", "is_over": is_over}
    with served(told) as status:
        seen = ask_running(status)
    assert seen is not None
    assert seen.trouble == words


def test_nobody_and_somebody_else_are_no_answer() -> None:
    assert ask_running(None) is None
    address = f"127.0.0.1:{free_port()}"
    assert ask_running(Status.model_validate({"address": address})) is None
    with served({}) as status:
        assert ask_running(status) is None
    with served(answers(), TOKEN) as status:  # which this question does not bring
        assert ask_running(status.model_copy(update={"token": None})) is None


def test_of_several_servers_each_is_told_of_by_its_own_budget() -> None:
    told = answers()
    own = {"name": "b/two.example:21", "open": 1, "cooling": 0, "limit": 95, "banned_for": 9.0}
    told["/api/budget"]["budgets"] += [BUDGET | own]
    told["/api/upstream"]["sessions"] += [{"budget": "b/two.example:21", "server": "b"}]
    trouble = {"words": "421 Too many.", "is_over": False, "server": "b"}
    told["/api/upstream"]["trouble"] = trouble
    with served(told) as status:
        top = ask_running(status)
        b = ask_running(status, server="b", budget="b/two.example:21")
        unknown = ask_running(status, server="c", budget="c")
    assert top is not None
    assert (top.used, top.limit, top.sessions, top.banned_for) == (7, 380, 2, 0.0)
    assert top.trouble == ""
    assert b is not None
    assert (b.used, b.limit, b.sessions, b.banned_for) == (1, 95, 1, 9.0)
    assert b.trouble == "421 Too many."
    assert unknown is None


async def test_the_budgets_of_a_real_one_are_found_by_name() -> None:
    port = free_port()
    status = Status.model_validate({"address": f"127.0.0.1:{port}"})
    async with scripted() as server, scripted() as other:
        standby = f"{other.host}:{other.port}"
        own = {"host": other.host, "port": other.port, "sessions": 1}
        further = {"name": "b", "match": {"user": "bob"}, "upstream": own}
        async with (
            house(
                server,
                status=f"127.0.0.1:{port}",
                upstream={"standby": [standby]},
                servers=[further],
            ) as weir,
            weir.guest("bob"),
        ):
            told = [
                await asyncio.to_thread(ask_running, status, server=name, budget=budget)
                for name, budget in (("", "default"), ("", standby), ("b", "b"))
            ]
    assert [one and one.sessions for one in told] == [0, 0, 1]


def test_a_new_store_is_heard_of() -> None:
    told = answers()
    told["/api/budget"]["store_new_for"] = 20.0
    with served(told) as status:
        seen = ask_running(status)
    assert seen is not None
    assert seen.store_new_for == 20.0


def test_it_is_told_by_which_limits_others_go() -> None:
    with served(answers(limit=30, is_lowered=True, sessions_limit=2)) as status:
        seen = ask_running(status)
    assert seen is not None
    assert seen.undercut == (
        "budget: another one goes by 30, this one by 380",
        "upstream.sessions: another one goes by 2, this one by 4",
    )
    with served(answers()) as status:
        alike = ask_running(status)
    assert alike is not None
    assert alike.undercut == ()
