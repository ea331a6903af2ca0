"""A firewall that bans: data connections meet silence, and nobody tries again before its time.

The firewall stands on the server's side, and the SYNs are counted there, before it drops them.
"""

from __future__ import annotations

import ftplib
import hashlib
import json
import math
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.batch import Batch
from tests.support.namespaces import Lab, Namespace
from tests.support.proxy import Ftpweir, exactly
from tests.support.servers import Vsftpd
from tests.support.users import ALICE
from tests.support.watching import FlowWatch

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(120)]

BUDGET = 20
HOLD, GUARD = 4.0, 0.3
CONNECT = 1.0  # how long a silence lasts
MAX_WAIT = 1.0  # shorter than the pause: who comes meanwhile is told, and does not wait
SILENCES = 3
CONTENT = os.urandom(3000)

PORTS = (40000, 40099)
COUNT = """
table inet count {
  chain input {
    type filter hook input priority -20
    tcp flags & (syn | ack) == syn counter
  }
}
"""
DROP = """
table inet silence {{
  chain input {{
    type filter hook input priority -10
    tcp dport {}-{} tcp flags & (syn | ack) == syn drop
  }}
}}
"""


class Firewall:
    """Stands before the server: drops new data connections, and nothing else."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        namespace.run("nft", "-f", "-", text=COUNT)

    def ban(self) -> None:
        """Answer no more."""
        self._namespace.run("nft", "-f", "-", text=DROP.format(*PORTS))

    def forgive(self) -> None:
        """Let everything through again."""
        self._namespace.run("nft", "delete", "table", "inet", "silence")

    @property
    def syns(self) -> int:
        """How many SYNs have come, to any port, dropped or not."""
        found = re.search(
            r"packets (\d+)", self._namespace.run("nft", "list", "table", "inet", "count")
        )
        assert found
        return int(found[1])


@contextmanager
def scene(sessions: int = 2, **queue: str) -> Iterator[tuple[Lab, Ftpweir, Firewall]]:
    """Run a server behind a firewall, and ftpweir on the other side of it."""
    with (
        Lab(hold=int(HOLD)) as lab,
        Vsftpd(host=lab.server.address, netns=lab.server.name, passive_ports=PORTS) as server,
        Ftpweir(
            server,
            netns=lab.client.name,
            upstream={"sessions": sessions},
            budget=exactly(BUDGET, hold=HOLD, guard=GUARD),
            timeouts={"connect": f"{CONNECT:.0f}s"},
            queue={"max_wait": f"{MAX_WAIT:.0f}s", **queue},
            refusals={"delay": "0s"},
        ) as weir,
    ):
        server.place("file.bin", CONTENT)
        yield lab, weir, Firewall(lab.server)


class Script:
    """One client that fetches the same file again and again."""

    def __init__(self, lab: Lab, weir: Ftpweir) -> None:
        self._lab = lab
        self._ftp = ftplib.FTP(timeout=30)
        lab.client.do(lambda: self._ftp.connect(weir.host, weir.port))
        self._ftp.login(ALICE.name, ALICE.password)

    def fetch(self) -> None:
        """Fetch it whole, or raise error_temp."""
        pieces: list[bytes] = []
        self._lab.client.do(lambda: self._ftp.retrbinary("RETR file.bin", pieces.append))
        assert b"".join(pieces) == CONTENT

    def refused(self) -> str:
        """Be refused; return the words."""
        with pytest.raises(ftplib.error_temp) as caught:
            self.fetch()
        return str(caught.value)

    def quit(self) -> None:
        """Leave."""
        self._ftp.quit()


def told(weir: Ftpweir, name: str) -> list[dict[str, Any]]:
    """Return the lines of the log about one kind of event."""
    lines = [json.loads(line) for line in weir.log.splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == name]


def test_after_three_silences_nothing_is_tried_for_a_whole_hold() -> None:
    with scene() as (lab, weir, firewall):
        script = Script(lab, weir)
        for _ in range(3):
            script.fetch()
        firewall.ban()
        for _ in range(SILENCES):
            last_began = time.monotonic()
            words = script.refused()
            assert words.startswith("425 ")
            assert "banned" not in words
        before = firewall.syns
        # Even if the firewall has forgiven: that is not known, and each try may prolong a ban.
        firewall.forgive()
        words = script.refused()
        assert words.startswith("425 Firewall seems to have banned the proxy")
        assert re.search(r"\(.*budget\.time_wait\), try again later: about [1-5] s\. Ref ", words)
        while not is_served(script):
            assert firewall.syns == before
        assert time.monotonic() - last_began >= CONNECT + HOLD
        (suspicion,) = told(weir, "ban suspected")
        assert suspicion["level"] == "error"
        assert suspicion["pause"] == pytest.approx(HOLD + GUARD, abs=0.01)
        assert suspicion["limit"] == BUDGET // 2
        script.quit()


def is_served(script: Script) -> bool:
    """Try once more: True when the file came."""
    try:
        script.fetch()
    except ftplib.error_temp as error:
        if str(error).startswith("425 Firewall seems to have banned"):
            return False
        raise
    return True


def test_afterwards_half_of_the_budget_is_used() -> None:
    with scene(max_wait="40s") as (lab, weir, firewall):
        script = Script(lab, weir)
        firewall.ban()
        for _ in range(SILENCES):
            began = time.monotonic()  # of the last one: the ban is suspected after that
            script.refused()
        firewall.forgive()
        script.fetch()  # patient enough to wait for the end of the pause
        script.quit()
        with FlowWatch(lab.server, source=lab.client.address) as flows:
            batch = Batch(weir.host, weir.port, ALICE.name, ALICE.password, scripts=6, files=30)
            done = batch.run(lab.client.inside([]))
        grown = math.floor((time.monotonic() - began) / (HOLD + GUARD))
        assert done.errors == []
        assert done.digests == [hashlib.sha256(CONTENT).hexdigest()]
        assert flows.most <= BUDGET // 2 + grown < BUDGET
        assert len(told(weir, "ban suspected")) == 1


def test_many_silences_at_once_are_one_ban() -> None:
    scripts = 6
    # One session more than they need, so that who comes later misses nothing but the budget.
    with scene(sessions=scripts + 1) as (lab, weir, firewall):
        script = Script(lab, weir)
        script.fetch()
        firewall.ban()
        batch = Batch(weir.host, weir.port, ALICE.name, ALICE.password, scripts, files=scripts)
        done = batch.run(lab.client.inside([]))
        before = firewall.syns
        assert script.refused().startswith("425 Firewall seems to have banned")
        assert firewall.syns == before
        assert len(done.errors) == scripts
        assert all("425 " in error for error in done.errors)
        (suspicion,) = told(weir, "ban suspected")
        assert suspicion["limit"] == BUDGET // 2
        script.quit()


def test_a_few_lost_connections_are_no_ban() -> None:
    with scene() as (lab, weir, firewall):
        script = Script(lab, weir)
        for _ in range(2):
            firewall.ban()
            for _ in range(SILENCES - 1):
                script.refused()
            firewall.forgive()
            script.fetch()
        assert told(weir, "ban suspected") == []
        script.quit()
