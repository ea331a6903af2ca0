"""A bit of everything at once, and connections that fail: the budget is kept, and fully used."""

from __future__ import annotations

import os
from bisect import bisect_left

import pytest

from loadtest.lab.flows import FlowCounter, compress
from loadtest.lab.namespaces import Side, lab
from tests.support.mixture import Mixture
from tests.support.proxy import Ftpweir, exactly
from tests.support.rate import expect_rate
from tests.support.servers import Vsftpd
from tests.support.users import ALICE

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(150)]

BUDGET = 40
HOLD = 5
GUARD = 0.3
# One that waits in vain for data (vsftpd hears no ABOR then) must not stop the others.
SESSIONS = 4
PORTS = (40_000, 40_099)
# Whoever connects to one of these ports, which the server does tell, is refused by the kernel.
BROKEN = """
table ip broken {
  chain prerouting {
    type nat hook prerouting priority dstnat
    tcp dport 40000-40003 redirect to :9
  }
}
"""


def break_some_ports(side: Side) -> None:
    """Let four in a hundred data connections fail."""
    side.run("nft", "-f", "-", text=BROKEN)


def test_whatever_the_scripts_do_the_budget_is_kept_and_fully_used() -> None:
    with (
        lab() as one,
        Vsftpd(host=one.server.address, netns=one.server.name, passive_ports=PORTS) as server,
        Ftpweir(
            server,
            netns=one.client.name,
            upstream={"sessions": SESSIONS},
            budget=exactly(BUDGET, hold=HOLD, guard=GUARD),
        ) as weir,
    ):
        compress(one.server, HOLD)
        break_some_ports(one.server)
        server.place("small.bin", os.urandom(2000))
        server.place("large.bin", os.urandom(4_000_000))
        with FlowCounter(one.server, limit=BUDGET) as firewall:
            login = (ALICE.name, ALICE.password)
            done = Mixture(
                weir.host, weir.port, *login, 12, 5 * HOLD, "small.bin", "large.bin"
            ).run(one.client.inside())
    assert done.errors == []
    assert set(done.done) == {"download", "upload", "listing", "abort", "crash"}, done.done
    assert any("Connection refused" in words for words in done.refused), done.refused
    assert firewall.most <= BUDGET
    assert firewall.banned == set()
    rate = steady_rate(firewall.opened(one.client.address))
    # The control connections hold their slots all the time; each other one serves again and again.
    expect_rate(rate, (BUDGET - SESSIONS) / (HOLD + GUARD))


def steady_rate(opened: list[float]) -> float:
    """Connections per second once the budget is in use."""
    first = bisect_left(opened, opened[0] + HOLD + 1)
    used = opened[first:]
    return (len(used) - 1) / (used[-1] - used[0])
