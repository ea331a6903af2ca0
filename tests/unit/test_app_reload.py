"""A reload of the running proxy: what changes, what stays, what is refused."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from loadtest.ports import free_port
from proxy.app import FAULT, STOPPING, App
from proxy.config import Config
from proxy.config.parsing import Reading
from proxy.events import Event, Fault, Reloaded, ReloadRefused
from proxy.ops.herald import Herald
from proxy.phase import Phase
from proxy.workers import Outcome
from tests.support.authority import Authority
from tests.support.handed import handed_out
from tests.support.house import config, house
from tests.support.misdeeds import waits_for
from tests.support.raw_client import dial, patiently, read_all
from tests.support.scripted import Scripted, scripted


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted({b"/file": b"content"}) as server:
        yield server


async def test_a_reload_names_the_keys_that_changed(server: Scripted) -> None:
    async with house(server) as home:
        outcome = await home.reload(queue={"max_wait": 7.0}, timeouts={"idle": 11.0})
        assert outcome == Reloaded(("queue.max_wait", "timeouts.idle"), ())
        assert home.told(Reloaded) == [outcome]
        assert home.gate.max_wait == 7.0
        assert home.app.config.timeouts.idle == 11.0


async def test_a_reload_that_changes_nothing_touches_nothing(server: Scripted) -> None:
    async with house(server) as home, home.guest() as client:
        await client.fetch("RETR /file")
        places = home.app.doors.places
        assert await home.reload() == Reloaded((), ())
        assert home.app.doors.places == places
        assert await client.fetch("RETR /file") == b"content"
        assert server.total == 1


async def test_a_refused_reload_leaves_no_state_file_in_use(
    server: Scripted, tmp_path: Path
) -> None:
    state, in_the_way = str(tmp_path / "state"), tmp_path / "state.other.127.0.0.9:21"
    upstream = {"host": server.host, "port": server.port, "standby": ["127.0.0.9:21"]}
    servers = [{"name": "other", "match": {"user": "other-*"}, "upstream": upstream}]
    in_the_way.mkdir()
    async with house(server, state=state) as home:
        outcome = await home.reload(state=state, servers=servers)
        assert isinstance(outcome, ReloadRefused)
        (problem,) = outcome.problems
        assert str(in_the_way) in problem
        in_the_way.rmdir()
        assert isinstance(await home.reload(state=state, servers=servers), Reloaded)


async def test_settings_of_running_sessions_change_at_the_next_step(server: Scripted) -> None:
    async with house(server) as home, home.guest() as client:
        await home.reload(passive={"address": "192.0.2.9"}, refusals={"transfer_code": 450})
        assert "(192,0,2,9," in (await client.ask("PASV")).text
        await home.reload(timeouts={"idle": 0.01})
        await client.ask("NOOP")
        await client.expect(421)
        await client.expect_end()


async def test_a_running_transfer_does_not_notice_a_reload(server: Scripted) -> None:
    go_on = asyncio.Event()
    server.plan("RETR", waits_for(go_on, "RETR"))
    async with house(server) as home, home.guest() as client:
        with await client.passive() as data:
            await client.say("RETR /file")
            await server.until_heard("RETR")
            outcome = await home.reload(
                listen="127.0.0.2:0",
                upstream={"sessions": 1, "host": "localhost"},
                budget={"connections": 50},
                clients=[{"name": "others"}],
            )
            assert isinstance(outcome, Reloaded)
            go_on.set()
            await client.expect(150)
            assert await read_all(data) == b"content"
        await client.expect(226)


async def test_addresses_are_added_and_removed_while_clients_stay(server: Scripted) -> None:
    async with house(server) as home, home.guest() as client:
        await home.reload(listen=["127.0.0.2:0"])
        (place,) = home.app.doors.places
        assert place.startswith("127.0.0.2:")
        with pytest.raises(ConnectionRefusedError):
            await dial(home.port)
        assert (await client.ask("NOOP")).code == 200


async def test_a_taken_address_leaves_everything_as_it_was(server: Scripted) -> None:
    async with house(server) as home, home.guest() as client:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            place = "127.0.0.1:{1}".format(*taken.getsockname())
            outcome = await home.reload(listen=["127.0.0.1:0", place], queue={"max_wait": 7.0})
        assert isinstance(outcome, ReloadRefused)
        assert outcome.problems == (f"cannot listen on {place}: Address already in use",)
        assert home.gate.max_wait == 40.0
        assert (await client.ask("NOOP")).code == 200


async def test_where_others_refuse_everything_is_undone_and_may_be_tried_again(
    server: Scripted, tmp_path: Path
) -> None:
    """One of several workers hears from its parent what becomes of a reload."""
    refused = ReloadRefused(("worker 2: cannot listen",))
    sections: dict[str, Any] = {
        "listen": ["127.0.0.1:0", f"127.0.0.1:{free_port('127.0.0.1')}"],
        "servers": [{"name": "b", "match": {"user": "b-*"}, "upstream": {"host": "192.0.2.1"}}],
        "queue": {"max_wait": 7.0},
    }
    asked: list[Event] = []

    async def agree(outcome: Outcome) -> Outcome:
        asked.append(outcome)
        return refused

    begun_with = {"state": str(tmp_path / "state"), "store": f"unix://{tmp_path}/none"}
    async with house(server, **begun_with) as home:
        before = handed_out(home.app), home.app.doors.places
        sections |= begun_with
        for _ in range(2):
            assert await home.reload(agree, **sections) == refused
            assert (handed_out(home.app), home.app.doors.places) == before
        assert [type(one) for one in asked] == [Reloaded, Reloaded]
        assert home.told(ReloadRefused) == [refused, refused]
        assert isinstance(await home.reload(**sections), Reloaded)
        assert home.gate.max_wait == 7.0


async def test_what_only_a_restart_can_change_is_refused_by_name(
    server: Scripted, tmp_path: Path
) -> None:
    async with house(server) as home:
        outcome = await home.reload(state=str(tmp_path / "other"), queue={"max_wait": 7.0})
        assert isinstance(outcome, ReloadRefused)
        (problem,) = outcome.problems
        assert problem.startswith("house.yaml:")
        assert "state: only a restart can change this" in problem
        assert home.gate.max_wait == 40.0


async def test_a_budget_that_began_without_its_file_is_not_enforced_later(
    server: Scripted, tmp_path: Path
) -> None:
    state = str(tmp_path / "state")
    async with house(server, state=state, budget={"enforce": "off"}) as home:
        outcome = await home.reload(state=state)
        assert isinstance(outcome, ReloadRefused)
        assert "budget.enforce" in outcome.problems[0]


@pytest.mark.parametrize("group", ["auto", "ours"])
async def test_instances_that_find_each_other_by_the_server_keep_it_until_a_restart(
    server: Scripted, tmp_path: Path, group: str
) -> None:
    """Else one that is restarted would have the whole budget beside those that are not."""
    sections: dict[str, Any] = {"store": f"unix://{tmp_path}/none", "sharing": {"group": group}}
    async with house(server, **sections) as home:
        outcome = await home.reload(upstream={"host": "localhost"}, **sections)
        assert isinstance(outcome, ReloadRefused if group == "auto" else Reloaded)
        if isinstance(outcome, ReloadRefused):
            (problem,) = outcome.problems
            assert "upstream.host: the instances find each other by it" in problem


async def test_without_a_file_there_is_nothing_to_read_anew() -> None:
    told: list[Event] = []
    upstream = {"host": "127.0.0.1"}
    app = App(Config.model_validate({"upstream": upstream, "state": None}), Herald(log=told.append))
    outcome = await app.reload()
    assert told == [outcome]
    assert isinstance(outcome, ReloadRefused)


async def test_a_reload_that_is_asked_for_before_it_serves_is_made_once_it_does(
    server: Scripted,
) -> None:
    heard: asyncio.Queue[Event] = asyncio.Queue()
    wanted = config(server, queue={"max_wait": 7.0})
    app = App(
        config(server), Herald(log=heard.put_nowait), reread=lambda: Reading(wanted, (), None)
    )
    app.reload_soon()
    async with asyncio.TaskGroup() as tasks, patiently():
        tasks.create_task(app.serve(lambda serving: None))
        assert await heard.get() == Reloaded(("queue.max_wait",), ())
        app.stop()


async def test_a_fault_in_a_reload_refuses_it_everywhere_and_the_next_one_is_made(
    server: Scripted,
) -> None:
    asked: list[Event] = []

    async def agree(outcome: Outcome) -> Outcome:
        asked.append(outcome)
        return outcome

    async with house(server) as home:
        refused = await home.reload(agree, nonsense=True)  # the file's reader here raises at that
        assert asked == [refused] == [ReloadRefused((FAULT,))]
        assert [fault.where for fault in home.told(Fault)] == ["reload"]
        assert home.app.phase is Phase.SERVING
        assert isinstance(await home.reload(queue={"max_wait": 7.0}), Reloaded)


async def test_a_reload_whose_decision_fails_leaves_the_proxy_serving(server: Scripted) -> None:
    async def fails(outcome: Outcome) -> Outcome:
        raise RuntimeError("nobody decides")

    async with house(server) as home:
        with pytest.raises(RuntimeError):
            await home.reload(fails, queue={"max_wait": 7.0})
        assert home.app.phase is Phase.SERVING
        assert home.gate.max_wait == 40.0


async def test_nothing_is_read_anew_while_it_shuts_down(server: Scripted) -> None:
    async with house(server) as home:
        home.app.stop()
        assert await home.reload(queue={"max_wait": 7.0}) == ReloadRefused((STOPPING,))


async def test_another_certificate_is_shown_after_a_reload(
    server: Scripted, tmp_path: Path
) -> None:
    certificate = str(Authority(tmp_path).issue().certificate)
    async with house(server) as home:
        listen = [{"address": "127.0.0.1:0", "tls": "explicit"}]
        outcome = await home.reload(listen=[listen[0] | {"certificate": "/nowhere.pem"}])
        assert outcome == ReloadRefused(("/nowhere.pem: No such file or directory",))
        assert isinstance(
            await home.reload(listen=[listen[0] | {"certificate": certificate}]), Reloaded
        )
        async with home.client() as client:
            await client.expect(220)
            assert (await client.ask("AUTH TLS")).code == 234


@pytest.mark.parametrize("enforce", ["on", "off"])
async def test_a_budget_is_not_spent_twice_by_giving_its_server_another_name(enforce: str) -> None:
    async with scripted({b"/file": b"x"}) as first, scripted({b"/file": b"x"}) as second:

        def named(*names: str) -> list[dict[str, Any]]:
            upstream = {"host": second.host, "port": second.port}
            budget = {"enforce": enforce}
            match = {"user": "alice"}
            return [
                {"name": name, "match": match, "upstream": upstream, "budget": budget}
                for name in names
            ]

        async with house(first, servers=named("old")) as home:
            async with home.guest() as client:
                assert (await client.ask("SIZE /file")).code == 213
            outcome = await home.reload(servers=named("new"))
            assert isinstance(outcome, ReloadRefused if enforce == "on" else Reloaded)
            if isinstance(outcome, ReloadRefused):
                assert "still count as those of 'old'" in outcome.problems[0]
                assert [one.name for one in home.app.servers] == ["", "old"]
            assert isinstance(await home.reload(servers=named("old")), Reloaded)
