"""Two instances behind HAProxy, as config/deploy/haproxy.cfg has it, are restarted one by one.

Honestly counted, as in test_restart.py: a transfer for which 150 was said ends with 226 and all its
bytes; a script that hears 421 while it waits connects again and is served by the other.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loadtest.ports import free_port
from tests.support.namespaces import Lab, inside
from tests.support.programs import CHECKOUT, program
from tests.support.proxy import Ftpweir, exactly
from tests.support.redis import RedisServer
from tests.support.servers import Vsftpd
from tests.support.untiring import Untiring
from tests.support.users import ALICE
from tests.support.watching import FlowWatch

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(180)]

SCRIPTS, FILES, SIZE = 20, 12, 64 * 1024
BUDGET, HOLD, SESSIONS = 20, 1, 4
HERE = "127.0.0.1"


def instance(lab: Lab, server: Vsftpd, redis: RedisServer) -> Ftpweir:
    return Ftpweir(
        server,
        netns=lab.client.name,
        listen={"proxy_protocol": "on", "trusted": HERE},
        # So slow that there is hardly a moment without a transfer.
        upstream={"sessions": SESSIONS, "bandwidth": "1MiB/s"},
        budget=exactly(BUDGET, hold=HOLD),
        store=redis.url,
        sharing={"lease": "4s", "recovery": "1s"},
        timeouts={"drain": "20s"},
    )


@contextmanager
def balanced(lab: Lab, weirs: list[Ftpweir], folder: Path) -> Iterator[int]:
    """Run the example's HAProxy before these; yield its port."""
    front = inside(lab.client.name, lambda: free_port(HERE))
    text = (CHECKOUT / "config" / "deploy" / "haproxy.cfg").read_text()
    text = text.replace("bind :21", f"bind {HERE}:{front}")
    for number, weir in enumerate(weirs, 1):
        text = text.replace(f"192.0.2.1{number}:2121", weir.address)
    assert not re.search(r"^\s*server .*192\.0\.2", text, re.MULTILINE)
    config = folder / "haproxy.cfg"
    config.write_text(text)
    command = lab.client.inside([program("haproxy"), "-db", "-f", str(config)])
    with (folder / "haproxy.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield front
    finally:
        process.kill()
        process.wait()


def test_two_instances_restarted_one_by_one_cut_no_transfer_and_keep_the_budget(
    tmp_path: Path,
) -> None:
    with (
        Lab(hold=HOLD) as lab,
        Vsftpd(host=lab.server.address, netns=lab.server.name) as server,
        RedisServer(lab.client.name) as redis,
        instance(lab, server, redis) as first,
        instance(lab, server, redis) as second,
        balanced(lab, [first, second], tmp_path) as front,
        FlowWatch(lab.server, source=lab.client.address) as firewall,
    ):
        server.place("file.bin", os.urandom(SIZE))
        outcome: list[Untiring] = []
        wishes = Untiring(HERE, front, ALICE.name, ALICE.password, SCRIPTS, FILES, SIZE)
        scripts = threading.Thread(
            target=lambda: outcome.append(wishes.run(lab.client.inside([]))), daemon=True
        )
        scripts.start()
        codes = []
        for weir in (first, second):
            weir.wait_for_log("transfer ended", 30)
            codes.append(weir.drain_and_restart(within=30))
        first.wait_for_log("transfer ended", 30)  # it serves again
        scripts.join(120)
        assert not scripts.is_alive()
    (done,) = outcome
    assert (done.cut, done.failures) == ([], [])
    assert done.completed == SCRIPTS * FILES
    assert done.turned_away >= 1, "the restarts were noticed: they came in the middle"
    assert codes == [0, 0]
    assert firewall.most <= BUDGET
