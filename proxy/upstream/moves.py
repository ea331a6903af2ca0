"""States as an Enum and a table: which of them leads to which others. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TypeAlias, TypeVar

State = TypeVar("State", bound=Enum)
Moves: TypeAlias = Mapping[State, frozenset[State]]


def moved(moves: Moves[State], before: State, after: State) -> State:
    """Return the new state; an impossible move is a bug and is loud."""
    if after not in moves[before]:
        raise AssertionError(
            f"{type(before).__name__} cannot go from {before.name} to {after.name}"
        )
    return after
