from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

import pytest

from proxy.events import TransferEnded
from proxy.exchange.exchange import Exchange
from proxy.ftp.command import Direction
from proxy.gate import patience
from proxy.session.session import Session
from proxy.session.transfer import KINDS, TransferRun
from tests.support.house import house
from tests.support.misdeeds import keeps_silent, waits_for
from tests.support.raw_client import is_reset, read_all, read_some
from tests.support.scripted import scripted

FILES = {b"/ten": b"0123456789"}


def test_every_direction_has_its_kind_of_slot() -> None:
    assert set(KINDS) == set(Direction)


async def test_one_event_tells_the_whole_transfer() -> None:
    async with scripted(FILES) as server, house(server) as home:
        async with home.guest() as client:
            assert (await client.ask("REST 4")).code == 350
            await client.fetch("RETR ten")
        (told,) = home.told(TransferEnded)
        assert (told.verb, told.path, told.kind) == ("RETR", "ten", "download")
        assert (told.result, told.code, told.moved) == ("done", 226, 6)
        assert (told.user, told.source, told.client_class) == ("alice", "127.0.0.1", "everyone")
        assert told.upstream_session is not None
        phases = (told.queue, told.prepare, told.open, told.data, told.final)
        assert all(phase >= 0.0 for phase in phases)


@pytest.mark.parametrize(
    ("line", "result", "code"),
    [("RETR missing", "refused by server", 550), ("SIZE ten", None, 213)],
)
async def test_only_transfers_are_told_and_refusals_as_such(
    line: str, result: str | None, code: int
) -> None:
    async with scripted(FILES) as server, house(server) as home:
        async with home.guest() as client:
            with await client.passive():
                assert (await client.ask(line)).code == code
        assert [event.result for event in home.told(TransferEnded)] == ([result] if result else [])


async def test_what_its_bandwidth_keeps_waiting_is_told_so() -> None:
    slow = [{"name": "slow", "bandwidth": "1KiB/s"}]
    async with (
        scripted({b"/long": bytes(1 << 20)}) as server,
        house(server, clients=slow) as home,
        home.guest() as client,
    ):
        with await client.passive() as data:
            await client.say("RETR /long")
            assert await read_some(data)
            (session,) = home.app.roster
            assert isinstance(session, Session)
            assert session.transfer is not None
            transfer = session.transfer
            await home.until(lambda: transfer.phase == "bandwidth")


@pytest.fixture
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_collector")
async def test_a_transfer_leaves_nothing_to_the_collector() -> None:
    async with scripted(FILES) as server, house(server) as home, home.guest() as client:
        await client.fetch("RETR ten")
        await client.store("STOR new", b"content")
        assert (await client.ask("NOOP")).code == 200
        left = [type(one) for one in gc.get_objects() if isinstance(one, TransferRun | Exchange)]
        assert left == []


async def test_whose_time_the_servers_silence_has_used_up_hears_of_the_silence() -> None:
    short = {"timeouts": {"final": 0.5}, "queue": {"max_wait": 0.4}}
    async with (
        scripted(FILES) as server,
        house(server, upstream={"sessions": 1}, **short) as home,
        home.guest() as client,
    ):
        server.plan("PASV", keeps_silent)
        refused = await client.expect_refusal("RETR ten", 425)
        assert "(timeouts.final)" in refused.text


async def test_a_long_wait_is_fed_and_ends_in_one_150(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "FEED_EVERY", 0.01)
    go_on = asyncio.Event()
    async with scripted(FILES) as server, house(server, upstream={"sessions": 1}) as home:
        server.plan("RETR", waits_for(go_on, "RETR"))
        async with home.guest() as first, home.guest() as second:
            with await first.passive(), await second.passive() as data:
                await first.say("RETR /ten")
                await server.until_heard("RETR")
                await second.say("RETR /ten")
                assert (await second._line()).startswith(b"150-Waiting for a turn")
                go_on.set()
                await first.expect(150, 226)
                heard = await second.expect(150, 226)
                assert heard[0].lines[-1] == b"150 The wait is over."
                assert await read_all(data) == b"0123456789"


async def test_a_wait_that_was_fed_in_vain_ends_like_a_broken_transfer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patience, "FEED_EVERY", 0.01)
    go_on = asyncio.Event()
    upstream, queue = {"sessions": 1}, {"max_wait": 0.1}
    async with scripted(FILES) as server, house(server, upstream=upstream, queue=queue) as home:
        server.plan("RETR", waits_for(go_on, "RETR"))
        async with home.guest() as first, home.guest() as second:
            with await first.passive(), await second.passive() as data:
                await first.say("RETR /ten")
                await server.until_heard("RETR")
                await second.say("RETR /ten")
                await second.expect(150, 426)
                assert await is_reset(data)
                go_on.set()
                await first.expect(150, 226)
            await second.expect_silence()
