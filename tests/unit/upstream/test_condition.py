from __future__ import annotations

from itertools import pairwise

from proxy.upstream.condition import FITNESS_MOVES, UNFINISHED_MOVES, Fitness, Unfinished


def test_every_state_has_its_row() -> None:
    assert set(FITNESS_MOVES) == set(Fitness)
    assert set(UNFINISHED_MOVES) == set(Unfinished)


def test_no_door_leads_back_to_a_better_fitness() -> None:
    from_best_to_worst = list(Fitness)
    for better, worse in pairwise(from_best_to_worst):
        assert worse in FITNESS_MOVES[better]
        assert better not in FITNESS_MOVES[worse]
    assert not FITNESS_MOVES[from_best_to_worst[-1]]


def test_a_restart_never_follows_a_transfer_that_is_unanswered() -> None:
    assert UNFINISHED_MOVES[Unfinished.TRANSFER] == {Unfinished.NOTHING}


def test_whatever_is_unfinished_can_be_finished() -> None:
    for what in (Unfinished.RESTART, Unfinished.TRANSFER):
        assert Unfinished.NOTHING in UNFINISHED_MOVES[what]
