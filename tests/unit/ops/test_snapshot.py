"""A snapshot is made of plain values, so that it can be told as JSON."""

from __future__ import annotations

import dataclasses
from typing import get_type_hints

import pytest

from proxy.ops import snapshot
from proxy.phase import Phase

PLAIN = {Phase, int, float, str, bool, float | None, int | None}
SEEN = [
    value
    for value in vars(snapshot).values()
    if isinstance(value, type) and dataclasses.is_dataclass(value)
]


@pytest.mark.parametrize("kind", SEEN, ids=lambda kind: kind.__name__)
def test_fields_are_plain_or_seen_themselves(kind: type) -> None:
    for hint in get_type_hints(kind).values():
        inside = [part for part in getattr(hint, "__args__", (hint,)) if part is not Ellipsis]
        assert all(part in PLAIN or part in SEEN or part is type(None) for part in inside)


def test_what_is_used_is_open_or_cooling() -> None:
    seen = snapshot.BudgetSeen(
        name="default",
        enforce="on",
        open=3,
        cooling=4,
        elsewhere=0,
        reserved=1,
        limit=10,
        configured=10,
        connections=12,
        longest_hold=60.0,
        next_slot=0.0,
        per_second=1.0,
        banned_for=0.0,
        sessions=1,
        sessions_elsewhere=0,
        sessions_limit=2,
        sessions_configured=2,
        is_lowered=False,
    )
    assert seen.used == 7
