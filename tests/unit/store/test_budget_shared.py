"""A budget of which several instances have a part each."""

from __future__ import annotations

from proxy.shaping.holds import PROFILES, Ending, explicit
from proxy.shaping.ledger import Kind
from proxy.shaping.stake import OnStoreDown, Wish
from proxy.shaping.tolerance import Tolerance
from proxy.store.budget import AT_HAND, SLACK
from tests.support.part import Part
from tests.support.purse import HOLD, Purse


def of_ten(lost: OnStoreDown = OnStoreDown.LOCAL_SHARE) -> Part:
    """A part of ten slots, given at the time of a new Purse."""
    return Part(10, now=1000.0, lost=lost)


def test_only_slots_of_our_share_are_booked_and_more_are_asked_for() -> None:
    part = of_ten()
    purse = Purse(10, share=part.share)
    assert purse.budget.reserve(Kind.CONTROL, "") is None
    assert not purse.budget.has_room(0)
    assert part.asked == 2
    part.give(2, others=8)
    purse.take()
    assert purse.budget.has_room(0)
    purse.take()
    assert purse.budget.reserve(Kind.CONTROL, "") is None
    assert (purse.budget.used, purse.budget.taken) == (2, 10)


def test_the_store_is_told_what_is_used_and_needed_and_of_news_all_who_wait() -> None:
    part, told = of_ten(), []
    purse = Purse(10, share=part.share)
    assert part.share.wish() == Wish(10, 0, 0, 1.0)
    part.give(4)
    purse.take()
    purse.budget.serve(lambda: told.append(purse.budget.used), lambda: (3, 2.0))
    assert part.share.wish() == Wish(10, 1, 1 + 3 + AT_HAND, 2.0)
    part.give(4, others=6, short=1)
    assert part.share.wish() == Wish(10, 1, 1 + 3, 2.0)
    part.share.hear()
    assert told == [1]


def test_the_store_counts_as_long_as_the_longest_hold_and_on_leaving_as_what_remains() -> None:
    part = of_ten()
    purse = Purse(10, share=part.share, holds=PROFILES["conntrack"])
    assert part.share.hold == 120.0 + SLACK
    part.give(4)
    assert part.share.remaining() == 0.0
    purse.budget.settle(purse.take(), Ending.FIN)
    purse.now += 20
    assert part.share.remaining() == 100.0
    purse.budget.adopt(Tolerance(10, explicit(HOLD), 1.0))
    assert part.share.hold == HOLD + 1.0 + SLACK


def test_the_lowest_limit_that_any_instance_goes_by_is_ours_too_but_not_what_we_claim() -> None:
    part = of_ten()
    purse = Purse(10, share=part.share)
    assert part.share.setting == "budget.connections"
    part.give(2, limit=6)
    assert (purse.budget.limit, purse.budget.is_lowered) == (6, True)
    assert purse.budget.interval == purse.budget.typical / 6
    assert part.share.wish().limit == 10
    part.give(2)
    assert (purse.budget.limit, purse.budget.is_lowered) == (10, False)


def test_what_is_booked_beyond_our_share_is_counted() -> None:
    part = of_ten(OnStoreDown.OPEN)
    purse = Purse(10, share=part.share)
    part.give(1)
    part.stake.lost()
    purse.take()
    assert purse.budget.beyond_share == 0
    purse.take()
    assert purse.budget.beyond_share == 1


def test_the_wait_for_a_share_is_none_while_something_is_free_and_else_an_estimate() -> None:
    part = of_ten()
    purse = Purse(10, share=part.share)
    part.give(2, others=6)
    assert purse.budget.eta(4) == 0.0
    purse.take()
    assert purse.budget.eta(4) == 4 * purse.budget.typical / 2
