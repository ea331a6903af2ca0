"""kill -9 in the middle of a batch: the budget is still kept, counted on the server's side."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from pathlib import Path

import pytest

from tests.support.batch import Batch
from tests.support.namespaces import Lab
from tests.support.proxy import Ftpweir, exactly
from tests.support.servers import Vsftpd
from tests.support.users import ALICE
from tests.support.waiting import until
from tests.support.watching import FlowWatch

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(180)]

BUDGET = 40
HOLD = 5


def test_the_budget_is_kept_across_a_crash_and_a_restart() -> None:
    content = os.urandom(1000)
    with (
        Lab(hold=HOLD) as lab,
        Vsftpd(host=lab.server.address, netns=lab.server.name) as server,
        Ftpweir(
            server,
            netns=lab.client.name,
            upstream={"sessions": 2},
            budget=exactly(BUDGET, hold=HOLD),
        ) as weir,
        FlowWatch(lab.server, source=lab.client.address) as firewall,
    ):
        server.place("file.bin", content)

        def batch(files: int) -> Batch:
            return Batch(weir.host, weir.port, ALICE.name, ALICE.password, 8, files)

        first: list[Batch] = []
        cut = threading.Thread(
            target=lambda: first.append(batch(400).run(lab.client.inside([]))), daemon=True
        )
        cut.start()
        until(lambda: firewall.now >= BUDGET - 5, "the budget is nearly used", 20)
        died = time.monotonic()
        weir.crash_and_restart()
        # Let it go on at once: whatever it had open or cooling must still count.
        second = batch(60).run(lab.client.inside([]))
        took = time.monotonic() - died
        cut.join()
    assert first[0].errors, "the first batch was cut off"
    assert second.errors == []
    assert second.digests == [hashlib.sha256(content).hexdigest()]
    assert firewall.most <= BUDGET
    # 60 files through a budget that was full at the start need at least one hold.
    assert took >= HOLD - 1


def test_a_second_proxy_with_the_same_state_file_is_refused(tmp_path: Path) -> None:
    state = str(tmp_path / "ledger.state")
    with Vsftpd() as server, Ftpweir(server, state=state):
        second = Ftpweir(server, state=state)
        with pytest.raises(RuntimeError, match="ended before it was ready"):
            second.start()
        assert "in use by another ftpweir" in second.log
