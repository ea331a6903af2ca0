"""The firewall's budget, counted where the firewall would count: on the server's side."""

from __future__ import annotations

import hashlib
import os

import pytest

from loadtest.lab.flows import FlowCounter, compress
from loadtest.lab.namespaces import lab
from tests.support.batch import Batch
from tests.support.namespaces import Lab
from tests.support.proxy import Ftpweir, exactly
from tests.support.rate import expect_rate
from tests.support.servers import Vsftpd
from tests.support.users import ALICE
from tests.support.watching import FlowWatch

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(180)]

BUDGET = 40
HOLD = 5
GUARD = 0.3


def test_the_budget_is_never_exceeded_and_fully_used() -> None:
    content = os.urandom(2000)
    with (
        Lab(hold=HOLD) as lab,
        Vsftpd(host=lab.server.address, netns=lab.server.name) as server,
        Ftpweir(
            server,
            netns=lab.client.name,
            upstream={"sessions": 1},
            budget=exactly(BUDGET, hold=HOLD, guard=GUARD),
        ) as weir,
    ):
        server.place("file.bin", content)
        with FlowWatch(lab.server, source=lab.client.address) as firewall:
            done = Batch(
                weir.host, weir.port, ALICE.name, ALICE.password, scripts=8, files=200
            ).run(lab.client.inside([]))
    assert done.errors == []
    assert done.digests == [hashlib.sha256(content).hexdigest()]
    assert firewall.most <= BUDGET
    assert firewall.flows >= 200
    expect_rate(steady_rate(done.finished), BUDGET / HOLD)


def test_each_of_two_addresses_has_a_budget_of_its_own_and_both_are_used() -> None:
    content = os.urandom(2000)
    with (
        lab() as one,
        Vsftpd(host=one.server.address, netns=one.server.name) as server,
    ):
        compress(one.server, HOLD)
        second = one.client.address + "1"
        one.client.run("ip", "address", "add", f"{second}/24", "dev", "cable")
        with Ftpweir(
            server,
            netns=one.client.name,
            upstream={"sessions": 1, "source_addresses": [one.client.address, second]},
            budget=exactly(BUDGET, hold=HOLD, guard=GUARD),
        ) as weir:
            server.place("file.bin", content)
            with FlowCounter(one.server, limit=BUDGET) as firewall:
                done = Batch(
                    weir.host, weir.port, ALICE.name, ALICE.password, scripts=16, files=400
                ).run(one.client.inside())
    assert done.errors == []
    assert done.digests == [hashlib.sha256(content).hexdigest()]
    assert firewall.banned == set()
    assert firewall.most <= BUDGET
    used = [len(firewall.opened(address)) for address in (one.client.address, second)]
    assert sum(used) >= 400
    assert min(used) >= 150, used
    expect_rate(steady_rate(done.finished, 2 * BUDGET), 2 * BUDGET / (HOLD + GUARD))


def steady_rate(finished: list[float], budget: int = BUDGET) -> float:
    """Files per second once the budget is in use: the first hold's worth of files is a burst."""
    ends = sorted(finished)[budget:]
    return (len(ends) - 1) / (ends[-1] - ends[0])
