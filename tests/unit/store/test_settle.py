"""The script that deals out what several instances share, on a clock of the test's own."""

from __future__ import annotations

from itertools import product

import pytest

from loadtest.simulation.engine import SimulatedEngine
from proxy.shaping.stake import Award

LEASE, HOLD, RECOVERY = 60.0, 10.0, 30.0
LIMIT = 12
KEY = "slots"


class Table:
    """Instances that ask for one thing; the recovery of the new store is over."""

    def __init__(self, *, recovery: float = RECOVERY, limit: int = LIMIT) -> None:
        self.engine = SimulatedEngine()
        self.now = 1000.0
        self.recovery = recovery
        self.limit = limit
        self._serial = 0
        self.ask("nobody")
        self.now += recovery + LEASE + HOLD

    def ask(
        self,
        who: str,
        *,
        used: int = 0,
        keep: int = 0,
        need: int = 0,
        weight: float = 1.0,
        limit: int | None = None,
        serial: int | None = None,
        lease: float = LEASE,
        hold: float = HOLD,
    ) -> Award:
        self._serial += 1
        times = [round(seconds * 1000) for seconds in (lease, self.recovery, hold)]
        claim = [self.limit if limit is None else limit, used, keep, need, weight]
        arguments: list[str | float] = [who, serial or self._serial, *times, *claim]
        (row,) = self.engine.settle(self.now, [KEY], arguments)
        return Award(*row)


def test_all_that_is_free_goes_to_who_needs_it() -> None:
    table = Table()
    assert table.ask("a", need=5) == Award(5, LIMIT, 0, 5, 0, 1)
    assert table.ask("b", need=5) == Award(5, LIMIT, 5, 5, 0, 2)
    assert table.ask("c", need=5).own == 2


def test_a_lost_answer_does_no_harm() -> None:
    table = Table()
    table.ask("a", need=5)  # a never hears of it
    assert table.ask("b", need=LIMIT).own == LIMIT - 5
    assert table.ask("a", keep=0, need=0).own == 0
    assert table.ask("b", keep=LIMIT - 5, need=LIMIT).own == LIMIT


def test_a_call_that_arrives_after_a_later_one_is_ignored() -> None:
    table = Table()
    table.ask("a", need=5, serial=100)
    assert table.ask("a", need=0, serial=99).own == -1
    assert table.ask("b", need=LIMIT, serial=1).others == 5


def test_nothing_beyond_the_limit_even_if_more_is_in_use() -> None:
    table = Table()
    table.ask("a", used=LIMIT + 3, need=LIMIT + 3)
    assert table.ask("b", need=1).own == 0


def test_an_unknown_instance_is_believed_what_it_uses_but_not_what_it_keeps() -> None:
    table = Table()
    table.ask("a", need=LIMIT - 2)
    assert table.ask("b", used=1, keep=6, need=6).own == 2


def test_what_all_need_is_shared_evenly_and_by_weight() -> None:
    table = Table()
    table.ask("a", need=LIMIT)
    assert table.ask("b", need=LIMIT, weight=3.0) == Award(0, LIMIT, LIMIT, 9, 0, 2)
    assert table.ask("a", used=4, keep=LIMIT, need=LIMIT).target == 3
    table.ask("a", used=4, keep=4, need=LIMIT)
    assert table.ask("b", need=LIMIT, weight=3.0).own == 8
    assert table.ask("a", used=3, keep=3, need=LIMIT).own == 3
    assert table.ask("b", keep=8, need=LIMIT, weight=3.0).own == 9


def test_who_needs_little_gets_it_and_the_rest_share_the_rest() -> None:
    table = Table()
    table.ask("a", need=LIMIT)
    table.ask("b", need=LIMIT)
    assert table.ask("c", need=2).target == 2
    assert table.ask("a", keep=LIMIT, need=LIMIT).target == 5


def test_where_there_is_less_than_one_for_each_all_take_turns() -> None:
    table = Table(limit=2)
    for who in "abcd":
        table.now += 0.1
        table.ask(who, need=1)
    table.now += 0.1
    assert table.ask("a", used=1, keep=1, need=1).target == 0
    assert table.ask("b", used=1, keep=1, need=1).target == 0
    table.ask("a", need=1)
    assert table.ask("d", need=1).own == 0  # c has waited longer
    assert table.ask("c", need=1).own == 1
    assert table.ask("a", need=1).own == 0
    table.ask("b", need=1)
    assert table.ask("d", need=1).own == 1


def test_one_who_waits_moves_only_one_who_has() -> None:
    table = Table(limit=2)
    for who in "abc":
        table.now += 0.1
        table.ask(who, need=1)
    assert table.ask("b", used=1, keep=1, need=1).target == 1
    assert table.ask("a", used=1, keep=1, need=1).target == 0


def test_the_lowest_limit_that_anybody_believes_in_holds_for_all() -> None:
    table = Table()
    table.ask("a", need=2, limit=5)
    assert table.ask("b", need=LIMIT) == Award(3, 5, 2, 3, 0, 2)
    table.now += 4  # a has not been heard of for a while
    assert table.ask("b", keep=3, need=LIMIT).own == LIMIT - 2


def test_the_need_of_one_who_is_silent_is_forgotten_its_part_is_not() -> None:
    table = Table()
    table.ask("a", need=LIMIT)
    table.ask("b", need=LIMIT)
    assert table.ask("a", keep=LIMIT, need=LIMIT).short == 1
    table.now += 4
    assert table.ask("a", keep=LIMIT, need=LIMIT) == Award(LIMIT, LIMIT, 0, LIMIT, 0)
    table.now += LEASE + HOLD - 1
    assert table.ask("b", need=LIMIT).own == 0
    table.now += 1
    assert table.ask("b", need=LIMIT).own == LIMIT


def test_where_a_silent_one_owns_more_than_a_lowered_limit_nobody_has_a_share() -> None:
    table = Table()
    table.ask("a", need=LIMIT)
    table.now += 4
    assert table.ask("b", need=3, limit=5) == Award(0, 5, LIMIT, 0, 0, 1)


@pytest.mark.parametrize("weights", [(0.1, 0.2, 0.3), (0.7, 1.1, 1.3), (1.0, 1.0, 1.0)])
def test_whatever_the_weights_the_shares_leave_nothing_but_fractions(
    weights: tuple[float, ...],
) -> None:
    for needs in product(range(0, LIMIT + 1, 2), repeat=3):
        table = Table()
        for who, weight, need in zip("abc", weights, needs, strict=True):
            table.ask(who, need=need, weight=weight)
        shares = [
            table.ask(who, keep=LIMIT, need=need, weight=weight).target
            for who, weight, need in zip("abc", weights, needs, strict=True)
        ]
        assert sum(shares) >= min(LIMIT, sum(needs)) - len(shares)


def test_who_leaves_is_counted_as_long_as_its_connections_cool() -> None:
    table = Table()
    table.ask("a", need=4)
    table.ask("a", used=2, keep=2, lease=0.0, hold=7.0)
    table.now += 6.9
    assert table.ask("b", need=LIMIT).own == LIMIT - 2
    table.now += 0.1
    assert table.ask("b", keep=LIMIT - 2, need=LIMIT).own == LIMIT


def test_a_store_that_has_lost_its_memory_deals_out_nothing_and_believes_all() -> None:
    table = Table()
    table.ask("a", need=8)
    table.engine.flush()
    assert table.ask("b", need=4).own == 0
    assert table.ask("a", used=3, keep=8, need=LIMIT).own == 8
    table.now += RECOVERY
    assert table.ask("b", need=LIMIT).own == 4


def test_an_old_copy_of_what_was_known_is_not_believed() -> None:
    table = Table()
    table.ask("a", need=2)
    table.engine.save()
    table.ask("a", keep=2, need=LIMIT)
    table.engine.restart()
    assert table.ask("b", need=LIMIT).own == 0
    assert table.ask("a", keep=LIMIT, need=LIMIT).own == LIMIT
    table.now += RECOVERY
    assert table.ask("b", need=LIMIT).own == 0


def test_a_row_that_cannot_be_read_is_lost_memory_and_costs_nobody_else_its_own() -> None:
    table = Table()
    table.ask("a", need=4)
    table.ask("b", need=3)
    table.engine.write(KEY, "a", "a stranger's words")
    assert table.ask("b", keep=3, need=LIMIT) == Award(3, LIMIT, 0, LIMIT, 0, 1, 30_000, 1)
    assert table.ask("a", used=2, keep=4, need=LIMIT).own == 4
    table.now += RECOVERY
    assert table.ask("b", keep=3, need=LIMIT) == Award(8, LIMIT, 4, 8, 0, 1)


def test_our_own_row_may_be_the_one_that_cannot_be_read() -> None:
    table = Table()
    table.ask("a", need=4)
    table.engine.write(KEY, "a", "a stranger's words")
    assert table.ask("a", keep=4, need=LIMIT).own == 4


def test_a_recovery_of_which_nobody_knows_the_end_begins_anew() -> None:
    table = Table()
    table.ask("a", need=4)
    table.engine.write(KEY, "#recover", "a stranger's words")
    assert table.ask("a", keep=4, need=LIMIT).own == 4
    table.now += RECOVERY
    assert table.ask("a", keep=4, need=LIMIT).own == LIMIT


def test_a_thing_without_recovery_leaves_no_trace_when_nobody_needs_it() -> None:
    table = Table(recovery=0.0)
    assert table.ask("a", need=2).own == 2
    table.ask("a")
    assert table.ask("b", need=LIMIT).others == 0


def test_a_new_store_tells_for_how_long_it_deals_nothing_out() -> None:
    table = Table()
    assert table.ask("a", need=1).recovers == 0
    table.engine.flush()
    assert table.ask("a", need=1).recovers == 30_000
    table.now += 20.0
    assert table.ask("a", need=1).recovers == 10_000
    table.now += 10.0
    assert table.ask("a", need=1).recovers == 0
