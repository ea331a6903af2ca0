"""The status address over HTTP: what it tells, to whom, and how much it bears."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from loadtest.ports import free_port
from proxy.events import StoreLost
from proxy.ops.lookout import FRESH
from proxy.ops.page import admin
from proxy.ops.page.admin import MOST_CONNECTIONS
from proxy.ops.page.answers import SECTIONS
from tests.support.misdeeds import waits_for
from tests.support.scripted import Scripted, scripted

from ..looking import get, open_house, seen

TOKEN = "a-token-of-some-length"
LOCKED = {"address": "127.0.0.1:0", "token": TOKEN}


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted({b"/file": b"content"}) as server:
        yield server


async def test_the_page_is_whole_in_itself(server: Scripted) -> None:
    async with open_house(server) as home:
        answer = await get(home.status, "/")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert not re.search(r"""(src|href)=["']?(https?:)?//|@import|url\((?!data:)""", answer.text)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("section", [*SECTIONS, "config", "history"])
async def test_each_section_is_json(server: Scripted, section: str) -> None:
    async with open_house(server) as home, home.guest():
        answer = await get(home.status, f"/api/{section}")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert isinstance(answer.told, dict)


async def test_sessions_budget_and_upstream_are_told(server: Scripted) -> None:
    async with open_house(server) as home, home.guest("alice") as client:
        await client.fetch("RETR /file")
        sessions = (await get(home.status, "/api/sessions")).told
        budget = (await get(home.status, "/api/budget")).told
        upstream = (await get(home.status, "/api/upstream")).told
        history = (await get(home.status, "/api/history")).told
    assert (sessions["total"], sessions["sessions"][0]["user"]) == (1, "alice")
    assert budget["budgets"][0]["limit"] == 100
    assert upstream["sessions"][0]["use"] == "idle"
    assert history["columns"] == ["at", "open", "cooling", "limit", "waiting"]
    assert history["samples"]


async def test_no_password_is_told_anywhere(server: Scripted) -> None:
    async with open_house(server, status=LOCKED) as home, home.client() as client:
        await client.expect(220)
        await client.log_in("alice", "open-sesame")
        told = "".join(
            [
                (await get(home.status, path, Authorization=f"Bearer {TOKEN}")).text
                for path in ("/", "/metrics", *(f"/api/{name}" for name in [*SECTIONS, "config"]))
            ]
        )
    assert "alice" in told
    assert "open-sesame" not in told
    assert TOKEN not in told


async def test_what_is_not_there_is_not_found(server: Scripted) -> None:
    async with open_house(server) as home:
        for path in ("/api/secrets", "/favicon.ico", "/../etc/passwd"):
            answer = await get(home.status, path)
            assert (answer.status, answer.text) == (404, "Not Found\n")
            assert answer.headers["server"] == "ftpweir"


async def test_a_foreign_name_is_turned_away(server: Scripted) -> None:
    async with open_house(server) as home:
        answer = await get(home.status, "/api/status", Host="evil.example")
    assert answer.status == 403
    assert "local name" in answer.text


async def test_a_token_opens_the_page_once_and_then_its_cookie_does(server: Scripted) -> None:
    async with open_house(server, status=LOCKED) as home:
        assert (await get(home.status, "/")).status == 401
        assert (await get(home.status, "/?token=wrong")).status == 401
        entered = await get(home.status, f"/?token={TOKEN}")
        assert (entered.status, entered.headers["location"]) == (303, "/")
        cookie = entered.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert (await get(home.status, "/", Cookie=cookie.partition(";")[0])).status == 200


async def test_it_is_alive_and_ready(server: Scripted) -> None:
    async with open_house(server, status=LOCKED) as home:
        assert (await get(home.status, "/healthz")).text == "alive\n"
        ready = await get(home.status, "/readyz")
    assert (ready.status, ready.told) == (200, {"ready": True, "failing": []})


async def test_it_is_not_ready_while_the_server_is_down(server: Scripted) -> None:
    async with open_house(server, upstream={"port": free_port()}) as home:
        async with home.client() as client:
            await client.expect(220)
            await client.say("USER alice", "PASS secret")
            await client.expect(331, 421)
        ready = await get(home.status, "/readyz")
        trouble = (await get(home.status, "/api/upstream")).told["trouble"]
    assert (ready.status, ready.told["failing"]) == (503, ["upstream_down"])
    assert (trouble["reason"], trouble["is_over"]) == ("upstream_down", False)


async def test_it_is_ready_while_one_of_several_servers_is_down(server: Scripted) -> None:
    away = {"name": "b", "match": {"user": "bob"}}
    away["upstream"] = {"host": "127.0.0.1", "port": free_port()}
    async with open_house(server, servers=[away]) as home:
        async with home.client() as client:
            await client.expect(220)
            await client.say("USER bob", "PASS secret")
            await client.expect(331, 421)
        ready = await get(home.status, "/readyz")
        trouble = (await get(home.status, "/api/upstream")).told["trouble"]
    assert ready.status == 200
    assert (trouble["reason"], trouble["server"]) == ("upstream_down", "b")


async def test_it_is_not_ready_while_everybody_waits_for_a_lost_store(server: Scripted) -> None:
    async with open_house(server) as home:
        for mode, status in (("local_share", 200), ("closed", 503)):
            home.app.announce(StoreLost("Connection refused", mode))
            await asyncio.sleep(FRESH)
            assert (await get(home.status, "/readyz")).status == status


async def test_it_is_not_ready_while_a_new_store_deals_nothing_out_and_nothing_is_had(
    server: Scripted,
) -> None:
    async with open_house(server) as home:
        old = seen(home)
    new = replace(old, store_new_for=20.0)
    serving = tuple(replace(one, open=1) for one in old.budgets)
    assert admin.failing(old) == []
    assert admin.failing(new) == ["store_new"]
    assert admin.failing(replace(new, budgets=serving)) == []


async def test_it_tells_of_the_draining_to_its_end(server: Scripted) -> None:
    go_on = asyncio.Event()
    server.plan("RETR", waits_for(go_on, "RETR"))
    async with open_house(server) as home, home.guest() as client:
        with await client.passive():
            await client.say("RETR /file")
            await server.until_heard("RETR")
            home.app.stop()
            ready = await get(home.status, "/readyz")
            assert (ready.status, ready.told["failing"]) == (503, ["draining"])
            assert (await get(home.status, "/api/status")).told["sessions_total"] == 1
            go_on.set()
            await client.expect(150, 226, 421)


async def test_when_too_many_connect_the_newest_is_served(server: Scripted) -> None:
    async with open_house(server) as home:
        host, _, port = home.status.rpartition(":")
        with contextlib.ExitStack() as stack:
            for _ in range(MOST_CONNECTIONS + 5):
                stack.enter_context(socket.create_connection((host, int(port))))
            assert (await get(home.status, "/healthz")).status == 200


async def test_a_request_that_is_too_long_is_refused(server: Scripted) -> None:
    async with open_house(server) as home:
        assert (await get(home.status, "/" + "x" * 20_000)).status == 400
        assert (await get(home.status, "/healthz", X_Long="x" * 20_000)).status == 400


def test_the_page_holds_no_address_of_its_own() -> None:
    assert "127.0.0.1" not in admin.PAGE.read_text(encoding="utf-8")
