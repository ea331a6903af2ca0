"""Scripts before a real firewall that bans: straight at the server, and through ftpweir.

Counted on the server's side by a scanner of CSF's kind, and banned with nftables. Where a test
compresses time, the scanner overlooks sockets that have been in TIME_WAIT for longer than the time
it is given: the kernel's own 60 s cannot be changed. One test waits for the real 60 s.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from loadtest.lab.crowd import Deed, Outcome, Wishes, send
from loadtest.lab.flows import FlowCounter, compress
from loadtest.lab.namespaces import Lab, lab
from loadtest.lab.scanner import Scanner
from loadtest.lab.table import KEPT
from tests.support.proxy import Ftpweir
from tests.support.rate import expect_rate
from tests.support.servers import Vsftpd
from tests.support.users import ALICE

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(150)]

LIMIT = 60
CONTENT = os.urandom(2000)
BAN = 600.0


@dataclass(frozen=True, slots=True)
class Site:
    """A firewall, a server behind it, and the side where the scripts live."""

    lab: Lab
    server: Vsftpd

    def scanner(self, limit: int = LIMIT, time_wait: float = KEPT) -> Scanner:
        """Return a counter that bans for real."""
        return Scanner(
            self.lab.server.anchor,
            limit=limit,
            time_wait=time_wait,
            ban=lambda address: self.lab.ban(address, BAN),
        )

    def weir(self, sessions: int, **budget: object) -> Ftpweir:
        """Return a proxy on the scripts' side."""
        return Ftpweir(
            self.server,
            netns=self.lab.client.name,
            upstream={"sessions": sessions},
            budget={"headroom": "0%", **budget},
            queue={"max_wait": "90s"},  # longer than any hold
        )

    def send(self, host: str, port: int, scripts: int, files: int, **more: float) -> Outcome:
        """Send scripts that fetch `files` files each."""
        digest = hashlib.sha256(CONTENT).hexdigest()
        name = (ALICE.name, ALICE.password)
        wishes = Wishes(host, port, *name, scripts, files, "file.bin", digest, **more)  # type: ignore[arg-type]
        return send(wishes, self.lab.client.inside())


@pytest.fixture
def site() -> Iterator[Site]:
    with stand() as one:
        yield one


@contextmanager
def stand() -> Iterator[Site]:
    with lab() as one, Vsftpd(host=one.server.address, netns=one.server.name) as server:
        server.place("file.bin", CONTENT)
        yield Site(one, server)


def test_without_ftpweir_a_hundred_downloads_are_banned(site: Site) -> None:
    place = site.server.host, site.server.port
    with site.scanner() as firewall:
        site.send(*place, scripts=2, files=50, patience=3.0)
    assert firewall.most > LIMIT
    assert firewall.banned == {site.lab.client.address} == site.lab.banned()
    # Who comes back meets no error, only silence.
    outcome = site.send(*place, scripts=2, files=1, patience=2.0)
    assert outcome.given_up == {Deed.SILENCE: 2}


def test_three_hundred_downloads_that_end_by_reset_are_not_noticed(site: Site) -> None:
    with (
        site.weir(2, connections=LIMIT, profile="csf", close="reset") as weir,
        site.scanner() as firewall,
    ):
        outcome = site.send(weir.host, weir.port, scripts=10, files=30, patience=60.0)
    assert outcome.is_perfect, outcome.words
    assert outcome.deeds[Deed.FILE] == 300
    assert firewall.banned == set()
    assert firewall.most <= LIMIT


def test_downloads_that_end_by_fin_go_at_the_pace_the_scanner_allows(site: Site) -> None:
    limit, hold, guard, sessions = 40, 4.0, 0.3, 2
    budget = {"connections": limit, "time_wait": f"{hold:g}s", "guard": "300ms"}
    with (
        site.weir(sessions, **budget) as weir,
        site.scanner(limit, time_wait=hold) as firewall,
    ):
        outcome = site.send(weir.host, weir.port, scripts=8, files=15, patience=60.0)
    assert outcome.is_perfect, outcome.words
    assert firewall.banned == set()
    assert firewall.most <= limit
    # After the first hold's worth of files each slot serves once in hold, guard and duration.
    expect_rate(steady_rate(outcome, limit), (limit - sessions) / (hold + guard))


def test_with_the_profile_of_csf_and_its_sixty_seconds_nobody_is_banned(site: Site) -> None:
    limit, sessions = 16, 1
    with (
        site.weir(sessions, connections=limit, profile="csf", guard="500ms") as weir,
        site.scanner(limit) as firewall,
    ):
        outcome = site.send(weir.host, weir.port, scripts=1, files=17, patience=90.0)
    assert outcome.is_perfect, outcome.words
    assert firewall.banned == set()
    assert firewall.most <= limit
    # 17 files through 15 slots: the last two wait until the first two are forgotten.
    assert outcome.seconds >= KEPT


def test_a_firewall_that_tracks_connections_bans_nobody_either(site: Site) -> None:
    limit, hold = 40, 4
    site_lab = site.lab
    compress(site_lab.server, hold)
    budget = {"connections": limit, "time_wait": f"{hold}s", "guard": "300ms", "close": "reset"}
    with (
        site.weir(2, **budget) as weir,
        FlowCounter(
            site_lab.server, limit=limit, ban=lambda address: site_lab.ban(address, BAN)
        ) as firewall,
    ):
        outcome = site.send(weir.host, weir.port, scripts=8, files=9, patience=60.0)
    assert outcome.is_perfect, outcome.words
    assert firewall.banned == set()
    assert firewall.most <= limit


def steady_rate(outcome: Outcome, burst: int) -> float:
    """Files per second once the budget is in use."""
    ends = sorted(outcome.moments)[burst:]
    return (len(ends) - 1) / (ends[-1] - ends[0])
