from __future__ import annotations

from enum import auto

import pytest

from proxy.upstream.moves import Moves, State, moved


class Door(State):
    OPEN = auto()
    LOCKED = auto()


MOVES: Moves[Door] = {Door.OPEN: frozenset({Door.LOCKED}), Door.LOCKED: frozenset()}


def test_a_move_of_the_table_is_made() -> None:
    assert moved(MOVES, Door.OPEN, Door.LOCKED) is Door.LOCKED


def test_any_other_move_is_told_by_its_name() -> None:
    with pytest.raises(AssertionError, match="Door cannot go from LOCKED to OPEN"):
        moved(MOVES, Door.LOCKED, Door.OPEN)


def test_to_find_a_state_no_name_is_hashed() -> None:
    assert [hash(door) for door in Door] == [object.__hash__(door) for door in Door]
