"""Reasons are counted without what differs each time."""

from __future__ import annotations

from io import BytesIO

import pytest

from loadtest.scripts.desk import Desk


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("425 Full, free in 3.2 s. Ref k7Qz", "425 Full, free in 11 s. Ref abcd"),
        ("550 /a/f1: not there", "550 /b/f22: not there"),
    ],
)
def test_replies_that_differ_in_numbers_only_are_one_reason(one: str, other: str) -> None:
    desk = Desk(BytesIO(), 0.0)
    desk.reason(one)
    desk.reason(other)
    [(words, times)] = desk.reasons.items()
    assert times == 2
    assert words.startswith(one[:3])


def test_other_codes_are_other_reasons() -> None:
    desk = Desk(BytesIO(), 0.0)
    desk.reason("425 Full")
    desk.reason("450 Full")
    assert len(desk.reasons) == 2


def test_a_spot_has_its_moment_and_its_script() -> None:
    desk = Desk(BytesIO(), 100.0)
    desk.corrupt("s-0001", 103.5, "half of it")
    assert desk.tally()["spots"] == ["at 3.500 s s-0001: half of it"]
