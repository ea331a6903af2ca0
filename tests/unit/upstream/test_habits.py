"""What is learned of a server's way to end downloads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.upstream.habits import LEAST_PATIENCE, MOST_PATIENCE, Habits


def test_nothing_bad_is_assumed_of_a_server() -> None:
    habits = Habits()
    assert habits.bears_reset
    assert not habits.waits_for_close
    assert habits.patience == LEAST_PATIENCE


def test_patience_follows_the_round_trip() -> None:
    habits = Habits()
    habits.saw_round_trip(0.2)
    assert habits.patience == pytest.approx(LEAST_PATIENCE + 0.6)


def test_one_slow_reply_changes_little() -> None:
    habits = Habits()
    habits.saw_round_trip(0.1)
    habits.saw_round_trip(0.2)
    assert habits.patience == pytest.approx(LEAST_PATIENCE + 3 * 0.11)


def test_a_lasting_change_is_learned() -> None:
    habits = Habits()
    habits.saw_round_trip(0.5)
    for _ in range(100):
        habits.saw_round_trip(0.1)
    assert habits.patience == pytest.approx(LEAST_PATIENCE + 0.3, abs=0.001)


@given(st.lists(st.floats(0.0, 1000.0)))
def test_patience_has_its_bounds(durations: list[float]) -> None:
    habits = Habits()
    for duration in durations:
        habits.saw_round_trip(duration)
    assert LEAST_PATIENCE <= habits.patience <= MOST_PATIENCE


def test_a_server_that_waits_for_our_close_is_not_waited_for() -> None:
    habits = Habits()
    habits.kept_us_waiting()
    habits.saw_round_trip(0.2)
    assert habits.waits_for_close
    assert habits.patience == 0.0


def test_a_server_that_takes_harm_is_reset_no_more() -> None:
    habits = Habits()
    habits.took_harm()
    assert not habits.bears_reset
    assert habits.harmed == 1
