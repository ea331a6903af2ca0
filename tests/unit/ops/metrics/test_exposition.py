"""/metrics, read back by Prometheus' own parser."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from proxy.events import UpstreamOpened
from proxy.ops.metrics.exposition import Metrics, Reality, of_snapshot
from proxy.ops.metrics.server_sockets import Sockets
from proxy.ops.metrics.table import COUNTED, LOOKED_UP, METRICS
from proxy.ops.metrics.tally import Tally
from proxy.shaping.stake import OnStoreDown, Stake, Terms
from proxy.store.shared import SharedStore, Unreachable
from proxy.upstream.seat import Use
from tests.support.house import House, house
from tests.support.scripted import Scripted, scripted

from ..examples import BANNED, REFUSED, transfer
from ..looking import lookout

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted({b"/file": b"content"}) as server:
        yield server


@pytest.fixture
async def home(server: Scripted) -> AsyncIterator[House]:
    async with house(server) as home:
        yield home


async def read(home: House, tally: Tally) -> Samples:
    """Return every sample by name and labels."""
    page = (await Metrics(tally, lookout(home)).page()).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


async def test_every_metric_of_the_table_is_there_and_no_other(home: House) -> None:
    page = (await Metrics(Tally(), lookout(home)).page()).decode()
    names = [line.split()[2] for line in page.splitlines() if line.startswith("# TYPE ftpweir_")]
    assert sorted(names) == sorted(METRICS)


async def test_what_was_tallied_is_told(home: House) -> None:
    tally = Tally()
    for event in (transfer(), REFUSED, BANNED):
        tally(event)
    told = await read(home, tally)
    of_transfer, server = (("class", "nightly"), ("kind", "download")), ("server", "")
    assert told["ftpweir_transfers_total", (*of_transfer, ("result", "done"), server)] == 1
    assert told["ftpweir_transfer_bytes_total", (*of_transfer, server)] == 1000
    assert told["ftpweir_ban_holds_total", ()] == 1
    assert told["ftpweir_transfer_phase_seconds_count", (("phase", "data"),)] == 1
    bucket = "ftpweir_transfer_phase_seconds_bucket"
    assert told[bucket, (("le", "0.25"), ("phase", "data"))] == 0
    assert told[bucket, (("le", "0.5"), ("phase", "data"))] == 1
    assert told[bucket, (("le", "+Inf"), ("phase", "data"))] == 1


async def test_what_there_is_now_is_looked_up(home: House) -> None:
    async with home.guest() as client:
        await client.fetch("RETR /file")
        told = await read(home, Tally())
    default = ("budget", "default")
    assert told["ftpweir_client_sessions", (("class", "everyone"),)] == 1
    assert told["ftpweir_upstream_sessions", (default, ("state", "idle"))] == 1
    assert told["ftpweir_budget_slots", (default, ("state", "open"))] == 1
    assert told["ftpweir_budget_limit", (default,)] == 100
    assert told["ftpweir_queue_length", (("class", "everyone"), ("server", ""))] == 0
    assert told["ftpweir_queue_limit", (("server", ""),)] == 1000
    assert told["ftpweir_upstream_replies_total", (default, ("class", "1xx"))] == 1
    assert told["ftpweir_upstream_replies_total", (default, ("class", "5xx"))] == 0
    assert told["ftpweir_tasks", ()] > 1
    assert told["ftpweir_config_last_reload_success_timestamp_seconds", ()] > 0
    assert told["process_open_fds", ()] > 3


@pytest.mark.parametrize("use", [use.name.lower() for use in Use])
async def test_a_session_is_counted_whatever_it_does(home: House, use: str) -> None:
    async with home.guest():
        seen = lookout(home).snapshot()
    (session,) = seen.upstream_sessions
    told = of_snapshot(replace(seen, upstream_sessions=(replace(session, use=use),)))
    assert told["upstream_sessions"]["default", use] == 1


async def test_neither_names_nor_addresses_of_clients_are_told(home: House) -> None:
    async with home.guest("somebody", source="127.66.6.6"):
        page = (await Metrics(Tally(), lookout(home)).page()).decode()
    assert "somebody" not in page
    assert "127.66.6.6" not in page


@pytest.mark.parametrize(
    ("slots", "sockets", "divergence"),
    [([3, 3], 3, 0), ([3, 3], 5, -2), ([4, 4], 3, 1), ([3, 5], 4, 0), ([3, 5], 7, -2)],
)
async def test_what_changed_during_the_count_is_no_divergence(
    home: House, slots: list[int], sockets: int, divergence: int
) -> None:
    reality = Reality(lookout(home))
    reality._note("default", slots, Sockets(open=sockets, time_wait=9))
    assert reality.samples() == {
        "upstream_sockets": {("default", "open"): sockets, ("default", "time_wait"): 9},
        "ledger_divergence": {("default",): divergence},
    }


async def test_of_several_readings_the_calmest_counts(home: House) -> None:
    reality = Reality(lookout(home))
    for sockets in (6, 4, 5):
        reality._note("default", [4, 4], Sockets(open=sockets, time_wait=0))
    assert reality.samples()["ledger_divergence"] == {("default",): 0}


async def test_the_kernel_is_asked_seldom(home: House) -> None:
    reality = Reality(lookout(home))
    await reality.refresh()
    counted = reality._counted_at
    await reality.refresh()
    assert reality._counted_at == counted <= time.monotonic()


def test_the_table_is_split_by_who_fills_it() -> None:
    assert not {metric.exposed for metric in COUNTED} & {metric.exposed for metric in LOOKED_UP}


async def test_the_servers_certificate_is_told_once_it_has_shown_one(home: House) -> None:
    tally, name = Tally(), "ftpweir_upstream_certificate_expiry_timestamp_seconds"
    assert (name, ()) not in await read(home, tally)
    tally(UpstreamOpened(1, "alice", 0.1, "TLSv1.3", 1_900_000_000.0))
    assert (await read(home, tally))[name, ()] == 1_900_000_000.0


class Silence:
    """A store that never answers."""

    async def settle(self, keys: list[str], arguments: list[str | float]) -> list[tuple[int, ...]]:
        raise Unreachable("silence")

    async def close(self) -> None:
        """Nothing is open."""


async def test_a_shared_store_that_is_lost_is_told_with_its_calls(home: House) -> None:
    assert ("ftpweir_store_up", ()) not in await read(home, Tally())
    terms = Terms(60.0, OnStoreDown.CLOSED)
    store = SharedStore(
        Silence(), "group", terms, recovery=0.0, clock=time.monotonic, announce=lambda event: None
    )
    store.share("slots", Stake(terms), hold=1.0).begin()
    await store.talk()
    home.app.store = store
    told = await read(home, Tally())
    assert (told["ftpweir_store_up", ()], told["ftpweir_store_degraded", ()]) == (0, 1)
    assert told["ftpweir_store_calls_total", ()] == 1
    assert told["ftpweir_store_call_failures_total", ()] == 1
    assert ("ftpweir_store_latency_seconds", ()) not in told
