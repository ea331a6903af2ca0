"""The simulation of many proxies, made small: its own laws, and what it says of ours."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loadtest.simulation.agenda import Agenda
from loadtest.simulation.firewall import Firewall
from loadtest.simulation.report import lines, possible_rate, spread
from loadtest.simulation.world import Plan, World

SMALL = Plan(
    proxies=4,
    sources=40,
    files_a_day=60_000,
    limit=60,
    hold=30.0,
    lease=20.0,
    hours=0.25,
    hog_files=0,
)


def test_what_is_due_happens_in_order() -> None:
    agenda, seen = Agenda(), []
    agenda.after(2.0, lambda: seen.append(("later", agenda.now)))
    agenda.after(1.0, lambda: seen.append(("sooner", agenda.now)))
    agenda.after(9.0, lambda: seen.append(("never", agenda.now)))
    agenda.run_until(5.0)
    assert seen == [("sooner", 1.0), ("later", 2.0)]
    assert agenda.now == 5.0


def test_the_firewall_counts_a_connection_until_its_hold_is_over() -> None:
    firewall = Firewall(limit=1, hold=10.0)
    firewall.open(0.0)
    firewall.open(1.0)
    firewall.close(2.0)
    assert (firewall.most, firewall.above, firewall.opened) == (2, 1, 2)
    assert [firewall.count(now) for now in (11.9, 12.0)] == [2, 1]


def test_without_mishaps_the_budget_is_kept_and_nothing_breaks() -> None:
    world = World(replace(SMALL, mishaps=False))
    told = world.run()
    assert told.broken == 0
    assert told.files > 500
    assert world.firewall.above == 0


def test_with_mishaps_the_budget_is_kept_if_the_recovery_is_long_enough() -> None:
    recovery = SMALL.lease + SMALL.hold + 5.0
    world = World(replace(SMALL, hours=1.0, recovery=recovery))
    told = world.run()
    assert told.crashes
    assert told.restarts
    assert world.firewall.above == 0
    text = "\n".join(lines(world))
    assert f"peak            {world.firewall.most} of 60" in text


def test_where_all_wait_the_rate_is_nearly_what_the_budget_allows() -> None:
    world = World(replace(SMALL, files_a_day=300_000, mishaps=False))
    told = world.run()
    assert told.contended > 100
    assert told.started_then / told.contended >= 0.85 * possible_rate(world)


def test_small_sources_beside_a_hog_mostly_need_not_wait() -> None:
    plan = replace(SMALL, files_a_day=20_000, hours=0.75, hog_files=1000, mishaps=False)
    world = World(plan)
    told = world.run()
    waits = sorted(told.beside_hog)
    assert len(waits) > 20
    assert waits[len(waits) // 2] < 1.0
    assert waits[-1] < plan.hold
    assert not told.beside_hog_in_mishaps
    assert world.firewall.above == 0


def test_what_small_sources_wait_in_a_mishap_of_their_proxy_is_told_apart() -> None:
    # The only proxy crashes when the hog comes: for a lease and a hold its old slots are nobody's.
    told = World(replace(SMALL, proxies=1, hours=0.75, hog_files=1000)).run()
    assert told.beside_hog_in_mishaps
    assert told.beside_hog
    assert not told.away_from_hog


@pytest.mark.parametrize(("seconds", "text"), [([], "none"), ([1.0, 2.0], "most 2.00 s (2)")])
def test_a_spread_is_told_in_one_line(seconds: list[float], text: str) -> None:
    assert spread(seconds).endswith(text)
