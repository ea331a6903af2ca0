from __future__ import annotations

import pytest

from proxy.upstream.order import ENOUGH, WORTHWHILE, Order


def test_nothing_runs_ahead_before_it_was_proven_often_enough() -> None:
    order = Order("auto")
    for _ in range(ENOUGH - 1):
        assert not order.was_kept()
    before = order.is_proven
    assert order.was_kept()
    assert (before, order.is_proven) == (False, True)
    assert not order.was_kept()


def test_one_answer_out_of_turn_is_enough_for_ever() -> None:
    order = Order("auto")
    assert order.was_broken()
    assert not order.was_broken()
    for _ in range(ENOUGH):
        assert not order.was_kept()
    assert not order.is_proven
    assert not order.is_worth(1.0)


@pytest.mark.parametrize("mode", ["auto", "on"])
def test_a_proven_order_can_still_be_broken(mode: str) -> None:
    order = Order("on" if mode == "on" else "auto")
    for _ in range(ENOUGH):
        order.was_kept()
    before = order.is_proven
    assert order.was_broken()
    assert (before, order.is_proven) == (True, False)


def test_on_asks_for_no_proof_and_off_for_nothing() -> None:
    assert Order("on").is_proven
    assert Order("on").is_worth(0.0)
    assert not Order("off").is_proven
    assert not Order("off").is_worth(1.0)


def test_a_server_nearby_is_not_worth_it() -> None:
    assert not Order("auto").is_worth(WORTHWHILE / 2)
    assert Order("auto").is_worth(WORTHWHILE)
