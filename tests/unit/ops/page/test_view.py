"""The view of one process: what its own parts say."""

from __future__ import annotations

import time

from proxy.ops.metrics.exposition import Metrics
from proxy.ops.metrics.tally import Tally
from proxy.ops.page.view import Here
from proxy.ops.pulse import Pulse
from tests.support.house import house
from tests.support.scripted import scripted

from ..looking import lookout


async def test_it_shows_what_there_is_here() -> None:
    async with scripted() as server, house(server) as home, home.guest():
        looking, tally = lookout(home), Tally()
        pulse = Pulse(lambda: home.app.servers, tally, time.time)
        view = Here(looking, Metrics(tally, looking), pulse)
        assert (await view.snapshot()).sessions_total == 1
        assert b"ftpweir_client_sessions" in await view.metrics()
        assert await view.history() == ()
        assert {one.key for one in await view.settings()} > {"listen[0].address", "queue.max_wait"}
        assert await view.silent() == ()
