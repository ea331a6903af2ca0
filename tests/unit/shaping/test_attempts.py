"""Failed logins: counted, forgotten, forgiven, bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy.shaping.attempts import MOST_SOURCES, Attempts

MEMORY = 600.0


def test_failures_of_one_source_add_up() -> None:
    attempts = Attempts(MEMORY)
    assert [attempts.failed("a", now) for now in (0.0, 1.0, 2.0)] == [1, 2, 3]
    assert attempts.count("a", 3.0) == 3


def test_each_source_has_its_own_count() -> None:
    attempts = Attempts(MEMORY)
    attempts.failed("a", 0.0)
    assert attempts.count("b", 0.0) == 0
    assert attempts.failed("b", 0.0) == 1


def test_failures_are_forgotten_after_a_quiet_time() -> None:
    attempts = Attempts(MEMORY)
    attempts.failed("a", 0.0)
    assert attempts.count("a", MEMORY - 1) == 1
    assert attempts.count("a", MEMORY) == 0
    assert attempts.failed("a", MEMORY) == 1


def test_each_failure_prolongs_the_memory_of_all() -> None:
    attempts = Attempts(MEMORY)
    attempts.failed("a", 0.0)
    attempts.failed("a", MEMORY - 1)
    assert attempts.count("a", MEMORY + 1) == 2


def test_the_right_password_forgives() -> None:
    attempts = Attempts(MEMORY)
    attempts.failed("a", 0.0)
    attempts.succeeded("a")
    assert attempts.count("a", 0.0) == 0


def test_who_never_failed_may_succeed() -> None:
    Attempts(MEMORY).succeeded("a")


def test_it_tells_when_all_is_forgotten() -> None:
    attempts = Attempts(MEMORY)
    attempts.failed("a", 100.0)
    assert attempts.forgotten_in("a", 100.0) == MEMORY
    assert attempts.forgotten_in("a", 101.0) == MEMORY - 1
    assert attempts.forgotten_in("a", 10_000.0) == 0.0


def test_nothing_is_remembered_of_who_never_failed() -> None:
    assert Attempts(MEMORY).forgotten_in("a", 100.0) == 0.0


# Eighths of a second: floats add them exactly, so the boundary is hit.
@given(st.integers(0, 10**6), st.integers(0, 10**4))
def test_after_the_time_told_nothing_is_remembered(failed: int, later: int) -> None:
    attempts = Attempts(MEMORY)
    attempts.failed("a", failed / 8)
    now = (failed + later) / 8
    left = attempts.forgotten_in("a", now)
    assert (attempts.count("a", now) == 0) == (left == 0.0)
    assert attempts.count("a", now + left) == 0


def test_under_attack_the_oldest_are_forgotten_first() -> None:
    attempts = Attempts(MEMORY)
    attempts.failed("first", 0.0)
    attempts.failed("second", 0.0)
    attempts.failed("first", 0.0)  # the latest failure counts
    for number in range(MOST_SOURCES - 1):
        attempts.failed(f"attacker {number}", 0.0)
    assert attempts.count("second", 0.0) == 0
    assert attempts.count("first", 0.0) == 2
