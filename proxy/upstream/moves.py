"""States as an Enum and a table: which of them leads to which others. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, TypeVar

from proxy.value import Keyed


class State(Keyed):
    """One of few states, found in a table at every move."""


S = TypeVar("S", bound=State)
Moves: TypeAlias = Mapping[S, frozenset[S]]


def moved(moves: Moves[S], before: S, after: S) -> S:
    """Return the new state; an impossible move is a bug and is loud."""
    if after not in moves[before]:
        raise AssertionError(
            f"{type(before).__name__} cannot go from {before.name} to {after.name}"
        )
    return after
