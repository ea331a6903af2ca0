"""The budget's arithmetic."""

from __future__ import annotations

import pytest

from proxy.config.serverside import PROFILE_SECONDS, Budget


@pytest.mark.parametrize(
    ("connections", "reserved", "headroom", "limit"),
    [
        (400, 0, 0.05, 380),
        (400, 40, 0.05, 342),
        (100, 0, 0.07, 93),
        (10, 0, 0.05, 9),
        (1, 0, 0.0, 1),
        (5, 9, 0.05, 1),
    ],
)
def test_the_limit_is_what_reserve_and_headroom_leave(
    connections: int, reserved: int, headroom: float, limit: int
) -> None:
    budget = Budget(connections=connections, reserved=reserved, headroom=headroom)
    assert budget.limit == limit


@pytest.mark.parametrize("profile", PROFILE_SECONDS)
def test_a_profile_sets_time_wait(profile: str) -> None:
    budget = Budget.model_validate({"profile": profile})
    assert budget.time_wait == PROFILE_SECONDS[profile]


def test_a_written_time_wait_is_not_overruled_by_a_profile() -> None:
    assert Budget(profile="csf", time_wait=30.0).time_wait == 30.0


def test_a_finished_budget_is_taken_as_it_is() -> None:
    budget = Budget(connections=7)
    assert Budget.model_validate(budget) == budget
