"""The whole proxy in one process: what it listens at, what it is built from, how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from proxy.app import SWEEP_EVERY, App
from proxy.config import Config
from proxy.events import DrainBegan, DrainEnded, Event, Fault, Refused
from proxy.net.doors import CannotListen
from proxy.ops.herald import Herald
from proxy.phase import Phase, Serving
from proxy.session.backend import Backend, Entrance
from proxy.shaping.holds import PROFILES
from proxy.store.budget import Budget
from proxy.store.journal import JournalError
from tests.support.house import House, config, house
from tests.support.misdeeds import keeps_silent, waits_for
from tests.support.raw_client import dial, patiently, read_all
from tests.support.scripted import Scripted, scripted


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted({b"/file": b"content"}) as server:
        yield server


def silent(event: Event) -> None:
    """Nobody listens."""


async def places(config: Config) -> list[str]:
    """Serve, return what was told as ready, and end."""
    app = App(config, Herald(log=silent))
    told: list[str] = []

    def ready(serving: Serving) -> None:
        told.extend(serving.listening)
        app.stop()

    async with patiently():
        await app.serve(ready)
    return told


async def built(**sections: Any) -> App:
    """Build, not run, with all defaults but these sections."""
    sections = {"upstream": {"host": "127.0.0.1"}, "state": None, "status": None, **sections}
    return App(Config.model_validate(sections), Herald(log=silent))


async def budget_of(**sections: Any) -> Budget:
    """Build, and return the one budget that there is with one source address."""
    (egress,) = (await built(**sections)).rooms.egresses
    return egress.budget


# Listening.


async def test_it_tells_where_it_listens_once_it_does(server: Scripted) -> None:
    (place,) = await places(config(server, listen="127.0.0.1:0"))
    host, _, port = place.rpartition(":")
    assert host == "127.0.0.1"
    assert int(port) > 0


async def test_it_listens_at_several_addresses(server: Scripted) -> None:
    told = await places(config(server, listen=["127.0.0.1:0", "127.0.0.2:0", "[::1]:0"]))
    assert [place.rpartition(":")[0] for place in told] == ["127.0.0.1", "127.0.0.2", "[::1]"]


async def test_a_taken_port_is_told(server: Scripted) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = "127.0.0.1:{1}".format(*taken.getsockname())
        with pytest.raises(CannotListen, match=f"^cannot listen on {place}: Address already in"):
            await places(config(server, listen=place))


async def test_an_address_of_another_machine_is_told(server: Scripted) -> None:
    with pytest.raises(CannotListen, match="192.0.2.1:2121: Cannot assign requested address"):
        await places(config(server, listen="192.0.2.1:2121"))


# Building.


async def test_the_budget_is_what_remains_of_the_configured_connections() -> None:
    budget = await budget_of(budget={"connections": 400, "headroom": 0.1, "reserved": 10})
    assert budget.limit == 351
    assert budget.enforced


@pytest.mark.parametrize("enforce", ["shadow", "off"])
async def test_a_budget_need_not_be_enforced(enforce: str) -> None:
    assert not (await budget_of(budget={"enforce": enforce})).enforced


async def test_holds_come_from_the_time_given() -> None:
    budget = await budget_of(budget={"time_wait": 30.0, "guard": 0.25})
    assert budget.longest_hold == 30.25


@pytest.mark.parametrize("profile", PROFILES)
async def test_holds_come_from_the_profile_given(profile: str) -> None:
    budget = await budget_of(budget={"profile": profile, "guard": 0.0})
    assert budget.longest_hold == PROFILES[profile].longest


async def test_the_ledger_is_kept_where_the_configuration_says(tmp_path: Path) -> None:
    state = str(tmp_path / "ledger.state")
    budget = await budget_of(state=state)
    with pytest.raises(JournalError, match="in use by another ftpweir"):
        await built(state=state)
    budget.close()
    (await budget_of(state=state)).close()


async def test_without_a_budget_there_is_no_ledger_to_keep(tmp_path: Path) -> None:
    state = tmp_path / "ledger.state"
    await built(state=str(state), budget={"enforce": "off"})
    assert not state.exists()


async def test_a_limit_of_sessions_may_be_left_to_learn() -> None:
    told = await built(upstream={"host": "127.0.0.1", "sessions": 3})
    assert told.rooms.egresses[0].pool.places.limit == 3
    learning = await built(upstream={"host": "127.0.0.1", "sessions": "auto"})
    assert learning.rooms.egresses[0].pool.places.limit > 3


async def test_each_source_address_has_a_budget_and_a_ledger_of_its_own(tmp_path: Path) -> None:
    upstream = {"host": "127.0.0.1", "source_addresses": ["127.0.0.2", "127.0.0.3"]}
    app = await built(upstream=upstream, state=str(tmp_path / "state"))
    assert [egress.address for egress in app.rooms.egresses] == ["127.0.0.2", "127.0.0.3"]
    assert set(os.listdir(tmp_path)) == {"state.127.0.0.2", "state.127.0.0.3"}
    for egress in app.rooms.egresses:
        egress.budget.close()


# Serving.


async def test_each_refusal_has_a_reference_of_its_own(server: Scripted) -> None:
    async with house(server, clients=[{"name": "everyone", "sessions": 1}]) as home:
        async with home.client() as first:
            await first.expect(220)
            for _ in range(2):
                async with home.client() as second:
                    assert (await second.hear()).code == 421
        refs = {refused.ref for refused in home.told(Refused)}
    assert len(refs) == 2
    assert all(len(ref) == 6 for ref in refs)


async def test_an_error_that_nobody_expected_is_told_and_ends_nothing_else(
    server: Scripted,
) -> None:
    async def stumbles() -> None:
        raise ZeroDivisionError("by nought")

    async with house(server) as home, home.guest() as client:
        home.app._spawn(stumbles())
        await home.until(lambda: home.told(Fault))
        (fault,) = home.told(Fault)
        assert fault.error == "ZeroDivisionError('by nought')"
        assert fault.where.endswith("stumbles")
        assert "by nought" in fault.trace
        assert await client.fetch("RETR /file") == b"content"


async def test_who_listens_may_stumble_at_every_event_and_nobody_else_notices(
    server: Scripted,
) -> None:
    def stumbles(event: Event) -> None:
        raise ZeroDivisionError("by nought")

    async with house(server) as home:
        home.app.announce.add("stumbling", stumbles)
        for user in ("alice", "bob"):
            async with home.guest(user) as client:
                assert await client.fetch("RETR /file") == b"content"
        faults = home.told(Fault)
        assert {fault.where for fault in faults} == {"listener: stumbling"}


async def test_a_fault_at_the_door_is_told_and_leaves_nobody_standing_there(
    server: Scripted,
) -> None:
    async with house(server) as home:
        shared = home.app.rooms.shared
        choose, shared.choose = shared.choose, nowhere
        async with home.client() as client:
            with contextlib.suppress(ConnectionResetError):
                await client.expect_end()
        shared.choose = choose
        (fault,) = home.told(Fault)
        assert fault.error == "ZeroDivisionError('by nought')"
        async with home.guest() as client:
            assert await client.fetch("RETR /file") == b"content"


def nowhere(entrance: Entrance, user: bytes) -> tuple[Backend, bytes]:
    """Choose no server: something has gone wrong."""
    raise ZeroDivisionError("by nought")


# Ending.


async def test_told_to_stop_it_ends_running_transfers_first(server: Scripted) -> None:
    go_on = asyncio.Event()
    server.plan("RETR", waits_for(go_on, "RETR"))
    async with house(server) as home, home.guest() as client, home.guest() as idle:
        with await client.passive() as data:
            await client.say("RETR /file")
            await server.until_heard("RETR")
            home.app.stop()
            await idle.expect(421)  # who does nothing is sent away at once
            await idle.expect_end()
            with pytest.raises(ConnectionRefusedError):
                await dial(home.port)
            go_on.set()
            await client.expect(150)
            assert await read_all(data) == b"content"
        await client.expect(226, 421)
        await client.expect_end()


@contextlib.asynccontextmanager
async def thrown_out(server: Scripted, **timeouts: float) -> AsyncIterator[House]:
    """Lend a house in which a transfer runs that would never end; it is cut behind the block."""
    server.plan("RETR", keeps_silent)
    async with house(server, timeouts=timeouts) as home, home.guest() as client:
        with await client.passive():
            await client.say("RETR /file")
            await server.until_heard("RETR")
            yield home
            await client.expect(426, 421)
            await client.expect_end()
        await home.until(lambda: home.told(DrainEnded))


async def test_told_again_it_ends_at_once(server: Scripted) -> None:
    async with thrown_out(server) as home:
        home.app.stop()
        home.app.stop()


async def test_who_does_not_end_in_time_is_thrown_out_and_counted(server: Scripted) -> None:
    async with thrown_out(server, drain=0.05) as home:
        home.app.stop()
    assert [event.sessions for event in home.told(DrainBegan)] == [1]
    assert [event.thrown_out for event in home.told(DrainEnded)] == [1]


async def test_clients_are_still_let_in_for_the_lag(server: Scripted) -> None:
    async with house(server, timeouts={"drain": 5.0, "drain_lag": 60.0}) as home:
        home.app.stop()
        await home.until(lambda: home.app.phase is Phase.STOPPING)
        assert not home.app.phase.is_ready
        async with home.guest() as client:
            assert await client.fetch("RETR /file") == b"content"
            home.app.stop()  # told again: no lag any more
            await client.expect(421)
            await client.expect_end()


async def test_who_waits_for_a_turn_is_told_that_it_shuts_down(server: Scripted) -> None:
    go_on = asyncio.Event()
    server.plan("RETR", waits_for(go_on, "RETR"))
    async with (
        house(server, upstream={"sessions": 1}) as home,
        home.guest() as first,
        home.guest() as second,
    ):
        with await first.passive() as data, await second.passive():
            await first.say("RETR /file")
            await server.until_heard("RETR")
            await second.say("RETR /file")
            await home.until(lambda: home.gate.waiting == 1)
            home.app.stop()
            told = await second.hear()
            assert told.code == 421
            assert "shutting down" in told.text
            await second.expect_end()
            go_on.set()
            await first.expect(150)
            assert await read_all(data) == b"content"
        await first.expect(226, 421)
        await first.expect_end()


async def test_who_was_about_to_connect_for_data_is_not_refused_but_hears_421(
    server: Scripted,
) -> None:
    async with house(server) as home, home.guest() as client:
        port = await client.passive_port()
        home.app.stop()
        await client.expect(421)
        with await dial(port):
            await client.say("RETR /file")
            await client.expect_end()


async def test_who_comes_while_it_drains_is_told_at_the_greeting(server: Scripted) -> None:
    async with house(server) as home:
        home.app._enter(Phase.DRAINING)
        async with home.client() as client:
            told = await client.hear()
            assert told.code == 421
            assert "shutting down" in told.text
            await client.expect_end()


async def test_it_is_sound_while_its_books_are_in_order(server: Scripted) -> None:
    async with house(server) as home, home.guest() as client:
        await client.fetch("RETR /file")
        assert home.app.is_sound
        home.app._swept_at -= 4 * SWEEP_EVERY
        assert not home.app.is_sound


async def test_sessions_with_the_server_end_by_quit(server: Scripted) -> None:
    async with house(server) as home, home.guest() as client:
        await client.fetch("RETR /file")
    assert server.verbs[-1] == "QUIT"


async def test_told_to_end_at_once_before_it_serves_it_ends(server: Scripted) -> None:
    app = App(config(server), Herald(log=silent))
    app.abandon()
    async with patiently():
        await app.serve(lambda serving: None)
    assert app.phase is Phase.OVER


async def test_told_to_end_at_once_it_does_not_wait_for_a_store_that_is_silent(
    server: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proxy.store.shared.CLOSE_PATIENCE", 1e6)
    monkeypatch.setattr("proxy.store.engine.PATIENCE", 1e6)
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "store"))
        mute.listen()

        def announce(event: Event) -> None:
            if isinstance(event, DrainEnded):
                asyncio.get_running_loop().call_soon(app.abandon)

        app = App(config(server, store=f"unix://{tmp_path}/store"), Herald(log=announce))
        async with patiently():
            await app.serve(lambda serving: app.stop())
    assert app.phase is Phase.OVER
