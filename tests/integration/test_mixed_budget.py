"""A bit of everything at once, and connections that fail: the budget is kept, and fully used."""

from __future__ import annotations

import os
from bisect import bisect_left
from itertools import pairwise

import pytest

from loadtest.lab.flows import FlowCounter, compress
from loadtest.lab.namespaces import Side, lab
from tests.support.mixture import Mixture
from tests.support.proxy import Ftpweir
from tests.support.servers import Vsftpd
from tests.support.users import ALICE

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(150)]

BUDGET = 40
HOLD = 5
GUARD = 0.3
PORTS = (40_000, 40_099)
# Whoever connects to one of these ports, which the server does tell, is refused by the kernel.
BROKEN = """
table ip broken {
  chain prerouting {
    type nat hook prerouting priority dstnat
    tcp dport 40000-40005 redirect to :9
  }
}
"""


def break_some_ports(side: Side) -> None:
    """Let some six in a hundred data connections fail."""
    side.run("nft", "-f", "-", text=BROKEN)


def test_whatever_the_scripts_do_the_budget_is_kept_and_fully_used() -> None:
    with (
        lab() as one,
        Vsftpd(host=one.server.address, netns=one.server.name, passive_ports=PORTS) as server,
        Ftpweir(
            server,
            netns=one.client.name,
            upstream={"sessions": 1},
            budget={
                "connections": BUDGET,
                "time_wait": f"{HOLD}s",
                "guard": f"{GUARD * 1000:.0f}ms",
                "headroom": "0%",
            },
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
    print(done.done, done.refused[:3], len(done.refused), firewall.most, weir.log[-1500:])
    print(steady_rate(firewall.opened), 0.9 * BUDGET / HOLD)
    assert steady_rate(firewall.opened) >= 0.9 * BUDGET / HOLD


def steady_rate(opened: list[float]) -> float:
    """Connections per second once the budget is in use."""
    first = bisect_left(opened, opened[0] + HOLD + 1)
    used = opened[first:]
    return (len(used) - 1) / (used[-1] - used[0])
