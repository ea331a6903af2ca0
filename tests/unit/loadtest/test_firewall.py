"""The emulated firewall counts like one that sees TIME_WAIT, exactly."""

from __future__ import annotations

from loadtest.firewall import Firewall


def test_a_closed_connection_counts_until_its_hold_is_over() -> None:
    wall = Firewall(limit=None, hold=2.0)
    wall.opened("data", 0.0)
    wall.closed("data", 1.0)
    assert wall.counted(2.999) == 1
    assert wall.counted(3.0) == 0


def test_an_open_connection_counts_for_ever() -> None:
    wall = Firewall(limit=None, hold=0.0)
    wall.opened("control", 0.0)
    assert wall.counted(1e6) == 1


def test_exactly_the_limit_is_no_violation_and_one_more_is_one() -> None:
    wall = Firewall(limit=3, hold=60.0)
    for moment in (0.0, 1.0, 2.0):
        assert wall.opened("data", moment)
    assert not wall.violations
    wall.opened("data", 3.0)
    [violation] = wall.violations
    assert (violation.moment, violation.counted, violation.what) == (3.0, 4, "data")


def test_without_a_ban_a_violation_is_only_noted() -> None:
    wall = Firewall(limit=1, hold=60.0)
    wall.opened("data", 0.0)
    assert wall.opened("data", 0.1)


def test_a_ban_drops_everything_until_it_ends() -> None:
    wall = Firewall(limit=1, hold=0.5, ban=10.0)
    wall.opened("data", 0.0)
    assert not wall.opened("data", 0.1)
    wall.closed("data", 0.2)
    assert not wall.opened("control", 10.0)
    wall.closed("data", 10.05)
    assert wall.opened("control", 11.0)


def test_sessions_are_counted_apart() -> None:
    wall = Firewall(limit=None, hold=60.0)
    wall.opened("control", 0.0)
    wall.opened("data", 0.0)
    wall.opened("control", 0.0)
    wall.closed("control", 1.0)
    assert (wall.sessions, wall.sessions_most, wall.opened_in_all) == (1, 2, 3)


def test_the_history_keeps_the_largest_count_of_a_moment() -> None:
    wall = Firewall(limit=None, hold=0.0)
    wall.opened("data", 1.0)
    wall.opened("data", 1.001)
    wall.closed("data", 1.002)
    wall.look(2.0)
    assert wall.history == [(1.0, 2), (2.0, 1)]
