"""Several servers behind one proxy: each client works at its own, with a pool of its own."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from loadtest.ports import free_port
from proxy.events import LoggedIn, LoginFailed, Refused, Reloaded, ReloadRefused
from tests.support.house import House, house
from tests.support.scripted import Scripted, scripted

FILES, OTHERS = {b"/file": b"here"}, {b"/file": b"there"}


def other(server: Scripted, **match: object) -> dict[str, Any]:
    """Tell of the other server and who it is for."""
    upstream = {"host": server.host, "port": server.port}
    return {"servers": [{"name": "other", "match": match, "upstream": upstream}]}


@contextlib.asynccontextmanager
async def two(
    match: dict[str, object], **sections: Any
) -> AsyncIterator[tuple[House, Scripted, Scripted]]:
    """Run a proxy before two servers; the second is for whom `match` fits."""
    async with (
        scripted(FILES) as first,
        scripted(OTHERS) as second,
        house(first, **other(second, **match), **sections) as home,
    ):
        yield home, first, second


async def test_a_login_leads_to_its_server_and_each_has_a_pool_of_its_own() -> None:
    async with (
        two({"user": ["bob"]}) as (home, first, second),
        home.guest("alice") as alice,
        home.guest("bob") as bob,
    ):
        assert await alice.fetch("RETR /file") == b"here"
        assert await bob.fetch("RETR /file") == b"there"
        assert (first.total, second.total) == (1, 1)


async def test_another_user_in_the_same_session_may_be_at_another_server() -> None:
    async with (
        two({"user": ["bob"]}) as (home, first, second),
        home.guest("alice") as client,
    ):
        for user, content in (("bob", b"there"), ("alice", b"here"), ("bob", b"there")):
            await client.log_in(user)
            assert await client.fetch("RETR /file") == content


async def test_a_server_hears_the_name_without_the_host_and_so_do_classes_and_the_log() -> None:
    async with (
        two({"host": ["ftp2"]}, clients=[{"name": "b", "user": ["bob"]}]) as (home, first, second),
        home.guest("bob@ftp2") as client,
    ):
        assert await client.fetch("RETR /file") == b"there"
        assert [event.user for event in home.told(LoggedIn)] == ["bob"]
        assert [visit.user for visit in second.here] == [b"bob"]


async def test_a_host_that_nobody_allowed_is_refused_and_the_session_goes_on() -> None:
    async with (
        two({"host": ["ftp2"]}) as (home, first, second),
        home.guest("alice") as client,
    ):
        told = await client.ask("USER bob@ftp3")
        assert told.code == 530
        assert "No such server here for ftp3 (servers.match.host), ask the operator" in told.text
        assert (await client.ask("PASS secret")).code == 503
        assert (await client.ask("PWD")).code == 530
        await client.log_in("bob@ftp2")
        assert await client.fetch("RETR /file") == b"there"
        assert [event.reason for event in home.told(Refused)] == ["no_server"]
        assert home.told(LoginFailed) == []


async def test_a_class_that_requires_tls_is_known_by_the_name_without_the_host() -> None:
    clients = [{"name": "safe", "user": ["bob"], "require": "login"}, {"name": "everyone"}]
    async with (
        two({"host": ["ftp2"]}, clients=clients) as (home, first, second),
        home.client() as client,
    ):
        await client.expect(220)
        assert "A login needs TLS here" in (await client.ask("USER bob@ftp2")).text
        assert (await client.ask("PASS secret")).code == 503
        await client.log_in("alice@ftp2")


async def test_strangers_stay_out_whatever_host_they_name() -> None:
    async with (
        two({"host": ["ftp2"]}) as (home, first, second),
        home.client() as client,
    ):
        await client.expect(220)
        await client.ask("USER anonymous@ftp2")
        assert "login.anonymous" in (await client.ask("PASS me")).text
        assert second.total == 0


async def test_a_server_that_is_away_troubles_nobody_elsewhere() -> None:
    nobody = {"host": "127.0.0.1", "port": free_port()}
    servers = [{"name": "away", "match": {"user": ["bob"]}, "upstream": nobody}]
    async with (
        scripted(FILES) as server,
        house(server, servers=servers, timeouts={"outage": 1.0}) as home,
        home.client() as bob,
    ):
        await bob.expect(220)
        await bob.say("USER bob", "PASS secret")
        async with home.guest("alice") as alice:
            assert await alice.fetch("RETR /file") == b"here"
        await bob.expect(331, 421)


async def test_servers_come_and_go_with_reloads_and_who_is_there_stays() -> None:
    async with (
        scripted(FILES) as first,
        scripted(OTHERS) as second,
        house(first) as home,
        home.guest("bob") as bob,
    ):
        await home.reload(**other(second, user=["bob"]))
        assert await bob.fetch("RETR /file") == b"here"
        await bob.log_in("bob")
        assert await bob.fetch("RETR /file") == b"there"
        await home.reload()
        assert await bob.fetch("RETR /file") == b"there"
        await bob.log_in("bob")
        assert await bob.fetch("RETR /file") == b"here"
        await home.reload(**other(second, user=["bob"]))
        await bob.log_in("bob")
        assert await bob.fetch("RETR /file") == b"there"


async def test_another_host_for_a_server_is_used_once_its_sessions_come_back() -> None:
    async with (
        scripted(FILES) as first,
        scripted(OTHERS) as second,
        house(first, **other(first, user=["bob"])) as home,
        home.guest("bob") as bob,
    ):
        assert await bob.fetch("RETR /file") == b"here"
        outcome = await home.reload(**other(second, user=["bob"]))
        assert isinstance(outcome, Reloaded)
        assert outcome.changed == ("servers",)
        await bob.log_in("bob")
        assert await bob.fetch("RETR /file") == b"there"


async def test_what_only_a_restart_can_change_at_a_server_is_refused_by_name() -> None:
    async with scripted(FILES) as first, house(first, **other(first, user=["bob"])) as home:
        changed = other(first, user=["bob"])
        changed["servers"][0]["upstream"]["standby"] = ["192.0.2.1"]
        outcome = await home.reload(**changed)
        assert isinstance(outcome, ReloadRefused)
        (problem,) = outcome.problems
        assert "servers.upstream.standby: only a restart can change this" in problem
