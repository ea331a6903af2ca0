from __future__ import annotations

from proxy.upstream.health import FIRST_REST, LONGEST_REST, Health


def test_a_server_is_up_until_a_dial_fails() -> None:
    health = Health(failback=10.0)
    assert health.answered(1.0, is_needed=False) is None
    assert health.failed(2.0)
    assert not health.is_up
    assert not health.failed(3.0)


def test_it_tells_for_how_long_it_is_down() -> None:
    health = Health(5.0)
    assert health.down_for(100.0) is None
    health.failed(100.0)
    health.failed(103.0)
    assert health.down_for(107.0) == 7.0


def test_it_is_asked_ever_more_seldom() -> None:
    health, now = Health(failback=10.0), 100.0
    rests = []
    for _ in range(8):
        health.failed(now)
        rests.append(health.ask_at - now)
        now = health.ask_at
    assert rests[:3] == [FIRST_REST, 2 * FIRST_REST, 4 * FIRST_REST]
    assert rests[-1] == LONGEST_REST


def test_many_that_fail_at_once_are_one_failure() -> None:
    health = Health(failback=10.0)
    for _ in range(8):
        health.failed(100.0)
    assert health.ask_at == 100.0 + FIRST_REST


def test_it_is_used_again_only_when_it_has_been_well_for_a_while() -> None:
    health = Health(failback=10.0)
    health.failed(100.0)
    assert health.answered(101.0, is_needed=False) is None
    assert health.ask_at == 111.0
    assert not health.is_up
    assert health.answered(111.0, is_needed=False) == 11.0
    assert health.is_up


def test_a_relapse_begins_the_while_anew() -> None:
    health = Health(failback=10.0)
    health.failed(100.0)
    health.answered(101.0, is_needed=False)
    health.failed(105.0)
    assert health.answered(111.0, is_needed=False) is None
    assert health.answered(121.0, is_needed=False) == 21.0


def test_one_that_is_needed_is_used_at_once() -> None:
    health = Health(failback=10.0)
    health.failed(100.0)
    assert health.answered(101.0, is_needed=True) == 1.0
