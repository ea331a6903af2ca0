"""The station hears everything, and opens and closes cleanly."""

from __future__ import annotations

import socket
import subprocess
import sys

from proxy.app import App
from proxy.events import Event, StatusUnavailable
from proxy.ops.herald import Herald
from proxy.ops.station import Station
from tests.support.house import house
from tests.support.scripted import scripted

from .examples import REFUSED
from .looking import get, open_house


def test_every_event_is_kept_and_so_is_what_others_have_missed() -> None:
    herald = Herald()
    station = Station(herald)
    herald(REFUSED)
    assert station.tally.counters["events_missed"] is herald.missed
    assert station.tally.counters["refusals"] == {("eta_too_long", "nightly", ""): 1}
    assert [one.ref for one in station.recent.refusals] == ["7f00aa"]


async def test_what_clients_do_is_on_the_page_and_in_the_log() -> None:
    async with scripted({b"/file": b"content"}) as server, open_house(server) as home:
        async with home.guest() as client:
            await client.fetch("RETR /file")
        await home.until_quiet()
        metrics = (await get(home.status, "/metrics")).text
        labels = 'class="everyone",kind="download",result="done",server=""'
        assert f"ftpweir_transfers_total{{{labels}}} 1" in metrics
        assert home.events


async def test_without_a_status_page_nobody_counts() -> None:
    async with scripted() as server, house(server, status=None) as home:
        assert home.status == ""
        assert home.app._station is None


def test_who_does_not_serve_it_does_not_load_it() -> None:
    command = "import sys, proxy.cli; sys.exit('aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0


async def test_a_default_address_that_is_taken_keeps_nobody_from_work() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with scripted() as server, house(server) as home:
            section = {"address": f"127.0.0.1:{port}"}
            config = home.app.config.model_validate(
                {"upstream": {"host": "127.0.0.1"}, "status": section}
            )
            config.model_fields_set.discard("status")  # as if it were the default
            told: list[Event] = []
            app = App(
                config.model_copy(update={"state": None, "listen": ()}), Herald(log=told.append)
            )
            app.stop()
            await app.serve(lambda serving: None)
        (event,) = (one for one in told if isinstance(one, StatusUnavailable))
        assert event.why == f"cannot listen on 127.0.0.1:{port}: Address already in use"
