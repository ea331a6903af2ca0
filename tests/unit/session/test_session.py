from __future__ import annotations

import asyncio
import contextlib
import gc
import weakref
from collections.abc import Awaitable, Callable, Iterator

import pytest

from proxy.events import Fault, Forbidden, SessionEnded
from proxy.session.roster import Guest
from tests.support.house import House, house
from tests.support.misdeeds import waits_for
from tests.support.raw_client import RawClient, is_reset
from tests.support.scripted import scripted

FILES = {b"/ten": b"0123456789", b"/big": bytes(16 << 20)}


async def test_one_event_tells_the_whole_session() -> None:
    async with scripted(FILES) as server, house(server) as home:
        async with home.guest() as client:
            await client.fetch("RETR /ten")
            await client.store("STOR /new", b"four")
            assert (await client.ask("QUIT")).code == 221
            await client.expect_end()
        await home.until_quiet()
        (told,) = home.told(SessionEnded)
        assert (told.reason, told.user, told.source) == ("quit", "alice", "127.0.0.1")
        assert (told.commands, told.transfers) == (7, 2)
        assert (told.bytes_down, told.bytes_up) == (10, 4)


async def test_each_way_of_leaving_has_its_word() -> None:
    async with scripted() as server, house(server) as home:
        async with home.guest():
            pass
        await home.until_quiet()
        async with home.guest() as client:
            client.vanish()
        await home.until_quiet()
        assert [told.reason for told in home.told(SessionEnded)] == ["client left", "client lost"]


async def test_a_fault_in_clearing_up_costs_nothing_but_the_step_it_is_in() -> None:
    async with scripted() as server, house(server) as home:
        async with home.guest() as client:
            await client.passive_port()
            home.app.rooms.shared.passive_ports._lent.clear()  # its port cannot be given back
        await home.until_quiet()
        assert [told.reason for told in home.told(SessionEnded)] == ["client left"]
        assert [told.error for told in home.told(Fault)] != []


async def test_an_idle_client_is_told_goodbye() -> None:
    async with scripted() as server, house(server, timeouts={"idle": 0.05}) as home:
        async with home.client() as client:
            heard = await client.expect(220, 421)
            assert "timeouts.idle" in heard[-1].text
            await client.expect_end()
        await home.until_quiet()
        assert home.told(SessionEnded)[0].reason == "idle"


async def test_a_running_transfer_is_no_silence() -> None:
    go_on = asyncio.Event()
    async with scripted(FILES) as server, house(server, timeouts={"idle": 0.5}) as home:
        server.plan("RETR", waits_for(go_on, "RETR"))
        async with home.guest() as client:
            with await client.passive():
                await client.say("RETR /ten")
                await server.until_heard("RETR")
                asyncio.get_running_loop().call_later(0.75, go_on.set)
                await client.expect(150, 226)


async def test_a_class_full_of_sessions_is_explained_at_the_greeting() -> None:
    few = [{"name": "few", "sessions": 1}]
    async with scripted() as server, house(server, clients=few) as home:
        async with home.guest(), home.client() as second:
            heard = await second.expect(421)
            assert "1 of 1" in heard[0].text
            await second.expect_end()
        await home.until_quiet()
        async with home.guest():
            pass


async def test_a_class_chosen_by_user_counts_from_the_login_on() -> None:
    classes = [{"name": "batch", "user": ["batch-*"], "sessions": 1}, {"name": "everyone"}]
    async with (
        scripted() as server,
        house(server, clients=classes) as home,
        home.guest("batch-1"),
        home.guest("alice"),
        home.client() as second,
    ):
        await second.say("USER batch-2", "PASS secret")
        await second.expect(220, 331, 421)
        await second.expect_end()


async def test_draining_lets_a_transfer_end_and_tells_idle_clients_goodbye() -> None:
    go_on = asyncio.Event()
    async with scripted(FILES) as server, house(server) as home:
        server.plan("RETR", waits_for(go_on, "RETR"))
        async with home.guest() as idle, home.guest() as busy:
            with await busy.passive():
                await busy.say("RETR /ten")
                await server.until_heard("RETR")
                home.app.stop()
                await idle.expect(421)
                await idle.expect_end()
                go_on.set()
                await busy.expect(150, 226, 421)
            await busy.expect_end()


async def test_the_second_word_to_stop_breaks_transfers_off() -> None:
    async with scripted(FILES) as server, house(server) as home, home.guest() as client:
        with await client.passive() as data:
            await client.say("RETR /big")
            await client.expect(150)
            home.app.stop()
            home.app.stop()
            await client.expect(426, 421)
            await client.expect_end()
            assert await is_reset(data)


async def test_a_rest_survives_a_transfer_that_had_no_port() -> None:
    async with scripted(FILES) as server, house(server) as home, home.guest() as client:
        await client.say("REST 4", "RETR /ten")
        await client.expect(350, 425)
        assert await client.fetch("RETR /ten") == b"456789"


async def test_who_does_not_read_its_replies_is_let_go() -> None:
    async with scripted() as server, house(server, timeouts={"idle": 0.3}) as home:
        async with home.client() as client:
            filled = 0
            while filled < 3:
                try:
                    client.sock.send(b"HELP\r\n" * 2000)
                except BlockingIOError:
                    filled += 1
                    await asyncio.sleep(0)
            await home.until(lambda: not len(home.app.roster))
        assert home.told(SessionEnded)[0].reason in ("client lost", "idle")


async def test_what_a_class_forbids_is_not_asked_of_the_server() -> None:
    wishes = {"clients": [{"name": "careful", "deny": ["DELE"]}]}
    async with scripted({b"/a": b"1"}) as server, house(server, **wishes) as home:
        async with home.guest() as client:
            heard = await client.ask("DELE a")
            assert heard.text == "550 DELE is not allowed here (clients.deny, class careful)."
            assert (await client.ask("SIZE a")).code == 213
        (told,) = home.told(Forbidden)
        assert (told.verb, told.setting, told.client_class) == ("DELE", "deny", "careful")
    assert b"/a" in server.files


async def test_a_read_only_class_fetches_and_stores_nothing() -> None:
    wishes = {"clients": [{"name": "lookers", "read_only": "on"}]}
    files = {b"/a": b"1"}
    async with (
        scripted(files) as server,
        house(server, **wishes) as home,
        home.guest() as client,
    ):
        assert await client.fetch("RETR a") == b"1"
        with await client.passive():
            assert (await client.ask("STOR b")).code == 550
    assert server.files == {b"/a": b"1"}


async def test_strangers_are_refused_unless_they_are_invited() -> None:
    async with scripted() as server, house(server) as home, home.client() as client:
        await client.expect(220)
        assert (await client.ask("USER anonymous")).code == 331
        heard = await client.ask("PASS me@example.com")
        assert heard.text == "530 Anonymous logins are not served here (login.anonymous)."
        await client.log_in("bob")
    assert [visit.user for visit in server.visits] == [b"bob"]


async def test_strangers_who_may_look_may_not_touch() -> None:
    wishes = {"login": {"anonymous": "read-only", "delay": 0.0}}
    async with scripted({b"/a": b"1"}) as server, house(server, **wishes) as home:
        async with home.guest("ftp") as client:
            assert await client.fetch("RETR a") == b"1"
            assert (await client.ask("DELE a")).code == 550
        async with home.guest("alice") as client:
            assert (await client.ask("DELE a")).code == 250
    assert server.files == {}


async def _quits(client: RawClient) -> None:
    await client.say("QUIT")
    await client.expect(221)


async def _fetches_and_stores(client: RawClient) -> None:
    await client.fetch("LIST")
    await client.fetch("RETR /ten")
    await client.store("STOR /new", b"four")
    await client.ask("MKD /x")
    await client.ask("CWD /")


async def _aborts(client: RawClient) -> None:
    with await client.passive():
        await client.say("RETR /big")
        await client.expect(150)
        await client.say("ABOR")
        await client.hear()


async def _vanishes_in_a_transfer(client: RawClient) -> None:
    with await client.passive():
        await client.say("RETR /big")
        await client.expect(150)
        client.vanish()


async def _begins_anew(client: RawClient) -> None:
    await client.ask("REIN")
    await client.log_in("bob")


@pytest.mark.parametrize(
    "deed", [_quits, _fetches_and_stores, _aborts, _vanishes_in_a_transfer, _begins_anew]
)
async def test_a_session_that_is_over_is_freed_at_once_without_the_collector(
    deed: Callable[[RawClient], Awaitable[None]],
) -> None:
    """The collector runs seldom: what it must find makes the process grow for an hour."""
    async with scripted(FILES) as server, house(server) as home:
        with _without_collector():
            async with home.guest() as client:
                kept = _only_session(home)
                await deed(client)
            await home.until(lambda: kept() is None)


async def test_so_is_one_that_was_idle_for_too_long() -> None:
    async with scripted(FILES) as server, house(server, timeouts={"idle": 0.2}) as home:
        with _without_collector():
            async with home.client() as client:
                await client.expect(220)
                kept = _only_session(home)
                await client.expect(421)
            await home.until(lambda: kept() is None)


def _only_session(home: House) -> weakref.ref[Guest]:
    [kept] = [weakref.ref(session) for session in home.app.rooms.shared.roster]
    return kept


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
