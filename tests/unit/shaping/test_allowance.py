"""What is believed of the server's limit: refusals at once, more only slowly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.shaping.allowance import AUTO_START, FIRST_QUIET, LONGEST_QUIET, Allowance


def learned(limit: int, now: float = 0.0) -> Allowance:
    """Return one that has met a limit at that time."""
    allowance = Allowance(None)
    allowance.refused(limit, now)
    return allowance


def test_a_configured_limit_is_not_learned() -> None:
    allowance = Allowance(2)
    assert not allowance.is_learned
    assert allowance.limit == 2


def test_a_configured_limit_is_never_moved() -> None:
    allowance = Allowance(5)
    allowance.refused(1, 0.0)
    assert not allowance.tick(LONGEST_QUIET)
    assert allowance.limit == 5


def test_a_limit_to_be_learned_starts_hopeful() -> None:
    allowance = Allowance(None)
    assert allowance.is_learned
    assert allowance.limit == AUTO_START


def test_nothing_grows_that_was_never_refused() -> None:
    assert not Allowance(None).tick(LONGEST_QUIET)


def test_a_refusal_is_believed_at_once() -> None:
    assert learned(2).limit == 2


def test_a_refusal_beside_none_of_ours_says_nothing_of_the_limit() -> None:
    assert learned(0).limit == AUTO_START


def test_a_refusal_never_raises_the_limit() -> None:
    allowance = learned(2)
    allowance.refused(5, 1.0)
    assert allowance.limit == 2


def test_one_more_is_tried_after_a_quiet_time() -> None:
    allowance = learned(2)
    assert not allowance.tick(FIRST_QUIET - 1)
    assert allowance.tick(FIRST_QUIET)
    assert allowance.limit == 3
    assert not allowance.tick(FIRST_QUIET + 1)
    assert allowance.tick(2 * FIRST_QUIET)


def test_it_creeps_back_to_the_start_and_no_further() -> None:
    allowance, now = learned(1), 0.0
    while allowance.tick(now := now + FIRST_QUIET):
        pass
    assert allowance.limit == AUTO_START


def test_a_try_in_vain_makes_the_next_one_rarer() -> None:
    allowance = learned(2)
    allowance.tick(FIRST_QUIET)
    allowance.refused(2, FIRST_QUIET)
    assert allowance.limit == 2
    assert not allowance.tick(3 * FIRST_QUIET - 1)
    assert allowance.tick(3 * FIRST_QUIET)


def test_many_refusals_of_one_moment_are_one_lesson() -> None:
    allowance = Allowance(None)
    for _ in range(AUTO_START - 2):  # all dialled at once, before anything was known
        allowance.refused(2, 0.0)
    assert allowance.tick(FIRST_QUIET)


def test_a_refusal_far_below_what_was_tried_is_no_try_in_vain() -> None:
    allowance = learned(4)
    allowance.tick(FIRST_QUIET)
    allowance.refused(1, FIRST_QUIET)
    assert allowance.limit == 1
    assert allowance.tick(2 * FIRST_QUIET)


@given(
    true=st.integers(1, AUTO_START - 1),
    steps=st.lists(st.integers(1, 7200), min_size=1, max_size=200),
)
def test_it_never_flaps(true: int, steps: list[int]) -> None:
    """Before a server with a constant limit, whoever is eager is refused ever more rarely."""
    allowance, now = learned(true), 0.0
    refusals = [0.0]
    for step in steps:
        now += step
        if allowance.tick(now):
            assert allowance.limit == true + 1
            allowance.refused(true, now)
            refusals.append(now)
        assert allowance.limit == true
    waits = [later - earlier for earlier, later in zip(refusals, refusals[1:], strict=False)]
    for vain, wait in enumerate(waits):
        assert wait >= min(FIRST_QUIET * 2**vain, LONGEST_QUIET)


@given(
    others=st.lists(st.integers(-1, 20), max_size=20),
    steps=st.lists(st.floats(0, 1e6), max_size=20),
)
def test_there_is_always_one_session_and_never_more_than_at_the_start(
    others: list[int], steps: list[float]
) -> None:
    allowance, now = Allowance(None), 0.0
    for refused_beside, step in zip(others, steps, strict=False):
        now += step
        allowance.refused(refused_beside, now)
        allowance.tick(now + step)
        assert 1 <= allowance.limit <= AUTO_START


@pytest.mark.parametrize("vain", [10, 50])
def test_however_often_it_was_in_vain_it_tries_again_some_day(vain: int) -> None:
    allowance, now = learned(2), 0.0
    for _ in range(vain):
        now += LONGEST_QUIET
        assert allowance.tick(now)
        allowance.refused(2, now)
    assert allowance.tick(now + LONGEST_QUIET)


def test_another_fixed_limit_counts_at_once() -> None:
    allowance = Allowance(2)
    allowance.adopt(5)
    assert allowance.limit == 5


def test_learning_may_begin_and_end_with_a_new_setting() -> None:
    allowance = Allowance(2)
    allowance.adopt(None)
    assert (allowance.limit, allowance.is_learned) == (AUTO_START, True)
    allowance.adopt(3)
    assert (allowance.limit, allowance.is_learned) == (3, False)


def test_what_was_learned_is_kept_while_learning_goes_on() -> None:
    allowance = Allowance(None)
    allowance.refused(4, 0.0)
    allowance.adopt(None)
    assert allowance.limit == 4
