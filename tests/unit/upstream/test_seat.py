from __future__ import annotations

import pytest

from proxy.shaping.ledger import Kind, Slot
from proxy.upstream.seat import USE_MOVES, Seat, Use

SLOT = Slot(1, Kind.CONTROL, "", 0.0)


def test_every_use_has_its_row() -> None:
    assert set(USE_MOVES) == set(Use)


@pytest.mark.parametrize("use", Use)
@pytest.mark.parametrize("then", Use)
def test_only_the_changes_of_the_table_are_possible(use: Use, then: Use) -> None:
    seat = Seat(SLOT, use, 1.0)
    if then in USE_MOVES[use]:
        seat.become(then, 2.0)
        assert (seat.use, seat.since) == (then, 2.0)
    else:
        with pytest.raises(AssertionError, match=f"from {use.name} to {then.name}"):
            seat.become(then, 2.0)
        assert (seat.use, seat.since) == (use, 1.0)


def test_no_way_leads_back_from_closing() -> None:
    assert not USE_MOVES[Use.CLOSING]


def test_a_seat_without_a_session_is_nobodys() -> None:
    assert Seat(SLOT, Use.OPENING, 0.0).key is None
