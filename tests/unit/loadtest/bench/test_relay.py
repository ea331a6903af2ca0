from __future__ import annotations

import pytest

from loadtest.bench.relay import KIB, MOVERS, Mover, Work, measure, measure_turns

movers = pytest.mark.parametrize("mover", MOVERS.values(), ids=MOVERS)


@movers
@pytest.mark.parametrize("work", [Work(KIB, 20, 8), Work(3_000_001, 3, 2)], ids=["small", "large"])
def test_every_byte_is_moved_and_what_it_took_is_told(mover: Mover, work: Work) -> None:
    cost = measure(mover, work)
    assert cost.moved == work.size * work.count
    assert cost.cpu > 0
    assert cost.elapsed > 0


@movers
def test_turns_of_the_loop_are_told_shortest_first(mover: Mover) -> None:
    turns = measure_turns(mover, Work(1_000_000, 2, 2))
    assert turns == sorted(turns)
    assert turns[-1] > 0
