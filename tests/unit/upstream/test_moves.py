from __future__ import annotations

from enum import Enum, auto

import pytest

from proxy.upstream.moves import Moves, moved


class Door(Enum):
    OPEN = auto()
    LOCKED = auto()


MOVES: Moves[Door] = {Door.OPEN: frozenset({Door.LOCKED}), Door.LOCKED: frozenset()}


def test_a_move_of_the_table_is_made() -> None:
    assert moved(MOVES, Door.OPEN, Door.LOCKED) is Door.LOCKED


def test_any_other_move_is_told_by_its_name() -> None:
    with pytest.raises(AssertionError, match="Door cannot go from LOCKED to OPEN"):
        moved(MOVES, Door.LOCKED, Door.OPEN)
