"""Reloads and a restart in the middle of fifty scripts: nothing that runs is cut, the budget holds.

Honestly counted: a transfer for which 150 was said must end with 226 and all its bytes. A script
that hears 421 while it is idle or waits may have to connect again, and must then be served.
"""

from __future__ import annotations

import ftplib
import os
import signal
import threading
from functools import partial

import pytest

from tests.support.activated import Activated
from tests.support.namespaces import Lab
from tests.support.proxy import Ftpweir, exactly
from tests.support.servers import PyFtpd, Vsftpd
from tests.support.untiring import Untiring
from tests.support.users import ALICE
from tests.support.waiting import until
from tests.support.watching import FlowWatch

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(180)]

SCRIPTS, FILES, RELOADS = 50, 12, 20
SIZE = 64 * 1024
BUDGET, HOLD = 60, 1


def budget(connections: int, enforce: str = "on") -> dict[str, object]:
    return exactly(connections, hold=HOLD, enforce=enforce)


def test_reloads_and_a_restart_cut_no_transfer_and_keep_the_budget() -> None:
    with (
        Lab(hold=HOLD) as lab,
        Vsftpd(host=lab.server.address, netns=lab.server.name) as server,
        Activated(
            server,
            netns=lab.client.name,
            # So slow that there is hardly a moment without a transfer.
            upstream={"sessions": 2, "bandwidth": "3MiB/s"},
            budget=budget(BUDGET),
        ) as weir,
        FlowWatch(lab.server, source=lab.client.address) as firewall,
    ):
        server.place("file.bin", os.urandom(SIZE))
        outcome: list[Untiring] = []
        wishes = Untiring(weir.host, weir.port, ALICE.name, ALICE.password, SCRIPTS, FILES, SIZE)
        scripts = threading.Thread(
            target=lambda: outcome.append(wishes.run(lab.client.inside([]))), daemon=True
        )
        scripts.start()
        for turn in range(RELOADS):
            until(partial(has_opened, firewall, 10 * (turn + 1)), "the scripts go on", 30)
            weir.reload(
                budget=budget(BUDGET if turn % 2 else BUDGET - 10),
                queue={"max_wait": f"{40 + turn}s"},
                clients=[{"name": f"class-{turn}", "weight": turn + 1}],
                timeouts={"drain": "20s"},
            )
            until(partial(is_done, weir, turn + 1), f"reload {turn + 1} is done")
        drained = weir.log
        code = weir.drain_and_restart(within=25)
        scripts.join(120)
        assert not scripts.is_alive()
    (done,) = outcome
    assert (done.cut, done.failures) == ([], [])
    assert done.completed == SCRIPTS * FILES
    assert done.turned_away >= 1, "the restart was noticed: it came in the middle"
    assert code == 0
    assert "fault" not in drained
    assert "reload refused" not in drained
    assert firewall.most <= BUDGET


def has_opened(firewall: FlowWatch, flows: int) -> bool:
    return firewall.flows >= flows


def is_done(weir: Activated, reloads: int) -> bool:
    return len(weir.events("reloaded")) == reloads


def test_told_to_end_at_once_it_cuts_its_transfers_and_meets_no_fault() -> None:
    ended_by_itself = pytest.raises(RuntimeError, match=r"ended by itself \(0\)")
    with PyFtpd() as server, ended_by_itself, Ftpweir(server) as weir:
        server.place("big.bin", bytes(20_000_000))
        with ftplib.FTP(timeout=60) as ftp:
            ftp.connect(weir.host, weir.port)
            ftp.login(ALICE.name, ALICE.password)
            with ftp.transfercmd("RETR big.bin") as data:
                data.recv(1)
                weir.signal(signal.SIGQUIT)
                assert weir.wait_for_end() == 0
                with pytest.raises(ConnectionResetError), data.makefile("rb") as rest:
                    rest.read()
            ftp.close()
    assert weir.events("fault") == []
