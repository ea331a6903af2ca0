"""Two instances behind HAProxy, as config/deploy/haproxy.cfg has it, are restarted one by one.

Honestly counted, as in test_restart.py: a transfer for which 150 was said ends with 226 and all its
bytes; a script that hears 421 while it waits connects again and is served by the other. So do curl
and lftp, if they are asked to; what they had begun is whole at the server, too.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.client import Client, Target
from tests.support.clients import Curl, Lftp
from tests.support.proxy import Ftpweir, exactly
from tests.support.redis import RedisServer
from tests.support.servers import Vsftpd
from tests.support.site import FIRST, FRONT, SECOND, Site, site
from tests.support.untiring import Untiring
from tests.support.users import ALICE
from tests.support.watching import FlowWatch

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(180)]

SCRIPTS, FILES, SIZE = 20, 6, 64 * 1024
BUDGET, HOLD, SESSIONS = 20, 1, 4
PATIENCE = 120.0  # of curl and lftp for one file


def instance(place: Site, server: Vsftpd, redis: RedisServer, address: str) -> Ftpweir:
    return place.instance(
        server,
        address,
        # So slow that there is hardly a moment without a transfer.
        upstream={"sessions": SESSIONS, "bandwidth": "1MiB/s"},
        budget=exactly(BUDGET, hold=HOLD),
        store=redis.url,
        sharing={"lease": "4s", "recovery": "1s"},
        timeouts={"drain": "20s"},
    )


@contextmanager
def going_to_and_fro(clients: list[Client]) -> Iterator[list[Future[int]]]:
    """Let each store a file and fetch it, while the block lasts; tell then how often it did."""
    over, front, content = threading.Event(), Target(FRONT, 21), os.urandom(SIZE)

    def go(client: Client) -> int:
        times = 0
        while not over.is_set():
            client.put(front, client.name(), content)
            assert client.get(front, client.name()) == content
            times += 1
        return times

    with ThreadPoolExecutor() as threads:
        try:
            yield [threads.submit(go, client) for client in clients]
        finally:
            over.set()


def test_two_instances_restarted_one_by_one_cut_no_transfer_and_keep_the_budget(
    tmp_path: Path,
) -> None:
    with (
        site(HOLD) as place,
        Vsftpd(host=place.server.address, netns=place.server.name) as server,
        RedisServer(place.weirs.name) as redis,
        instance(place, server, redis, FIRST) as first,
        instance(place, server, redis, SECOND) as second,
        place.balanced(tmp_path),
        FlowWatch(place.server, source=place.weirs.address) as firewall,
    ):
        server.place("file.bin", os.urandom(SIZE))
        outcome: list[Untiring] = []
        wishes = Untiring(FRONT, 21, ALICE.name, ALICE.password, SCRIPTS, FILES, SIZE)
        scripts = threading.Thread(
            target=lambda: outcome.append(wishes.run(place.clients.inside([]))), daemon=True
        )
        netns = place.clients.name
        curl = Curl(netns=netns, patience=PATIENCE, retries=9)
        lftp = Lftp(netns=netns, patience=PATIENCE)
        with going_to_and_fro([curl, lftp]) as others:
            scripts.start()
            codes = []
            for weir in (first, second):
                weir.wait_for_log("transfer ended", 30)
                codes.append(weir.drain_and_restart(within=30))
                weir.wait_for_log("transfer ended", 30)  # it serves again
            scripts.join(120)
            assert not scripts.is_alive()
    (done,) = outcome
    assert (done.cut, done.failures) == ([], [])
    assert done.completed == SCRIPTS * FILES
    assert done.turned_away >= 1, "the restarts were noticed: they came in the middle"
    assert all(other.result() for other in others)
    assert "FAIL" not in server.log_text()
    # See it with `pytest -rP`: it depends on the machine.
    sys.stdout.write(f"{done.turned_away} connected again, at most {firewall.most} slots\n")
    assert codes == [0, 0]
    assert firewall.most <= BUDGET
