from __future__ import annotations

import pytest

from proxy.shaping.stake import (
    HEARTBEAT,
    POLL,
    SHORTEST_STAY,
    Award,
    Claim,
    OnStoreDown,
    Stake,
    Terms,
    Wish,
)

LEASE = 60.0
LIMIT = 40


def stake(
    lost: OnStoreDown = OnStoreDown.LOCAL_SHARE,
    *,
    floor: int = 0,
    instances: int = 1,
    patience: float = 0.0,
) -> Stake:
    return Stake(Terms(LEASE, lost), floor=floor, instances=instances, patience=patience)


def award(own: int, *, others: int = 0, target: int = LIMIT, short: int = 0) -> Award:
    return Award(own, LIMIT, others, target, short)


def given(
    one: Stake, answer: Award, *, used: int = 0, need: int = LIMIT, now: float = 0.0
) -> Claim:
    """Ask and be answered in the same moment; return what was asked."""
    claim = one.claim(Wish(LIMIT, used, need), now)
    one.awarded(answer, claim, now)
    return claim


def test_nothing_is_allowed_before_the_store_has_said_so() -> None:
    one = stake()
    assert one.claim(Wish(LIMIT, 3, 10, 2.0), 0.0) == Claim(LIMIT, 3, 0, 10, 2.0)
    assert one.allowed(0.0) == 0
    given(one, award(10))
    assert one.allowed(0.0) == 10


def test_what_is_owned_is_a_right_for_one_lease_counted_from_the_question() -> None:
    one = stake()
    claim = one.claim(Wish(LIMIT, 0, 10), 5.0)
    one.awarded(award(10), claim, 5.0)
    assert one.valid_until == 5.0 + LEASE
    assert one.allowed(5.0 + LEASE - 0.001) == 10
    assert one.allowed(5.0 + LEASE) == 0


def test_what_is_not_needed_is_given_back_with_the_question_not_with_the_answer() -> None:
    one = stake()
    given(one, award(10))
    assert one.claim(Wish(LIMIT, 2, 4), 1.0).keep == 4
    assert one.allowed(1.0) == 4


def test_what_is_used_is_kept_even_if_it_is_too_much() -> None:
    one = stake()
    given(one, award(10))
    given(one, award(10, others=30, target=4, short=2), used=8)
    assert one.claim(Wish(LIMIT, 8, 20), 1.0).keep == 8
    assert one.allowed(1.0) == 4


@pytest.mark.parametrize(("own", "others"), [(10, 29), (10, 30), (10, 31)])
def test_nothing_is_left_when_all_own_together_what_there_is(own: int, others: int) -> None:
    one = stake()
    given(one, award(own, others=others))
    assert one.is_dealt_out == (own + others >= LIMIT)


def test_the_lowest_limit_that_any_instance_goes_by_is_known_with_the_floors() -> None:
    one = stake(floor=2, instances=2)
    assert one.agreed(LIMIT) == LIMIT
    given(one, Award(0, LIMIT - 4 - 10, 0, 0, 0))
    assert one.limit == LIMIT
    assert [one.agreed(limit) for limit in (LIMIT, 7)] == [LIMIT - 10, 7]
    nothing = stake()
    given(nothing, Award(0, 0, 0, 0, 0))
    assert nothing.agreed(LIMIT) == 1


def test_only_others_who_are_short_make_us_give_way() -> None:
    one = stake()
    found = []
    for others in (30, 31):  # one more than there is
        given(one, award(10, others=others, target=4, short=0))
        found.append((one.is_contended, one.allowed(0.0)))
    assert found == [(False, 10), (True, 4)]


def test_a_lease_that_is_over_is_not_claimed_again() -> None:
    one = stake()
    given(one, award(10))
    one.lost()
    assert one.claim(Wish(LIMIT, 0, 10), LEASE - 1).keep == 10
    assert one.claim(Wish(LIMIT, 2, 10), LEASE).keep == 0


def test_while_the_store_is_lost_nothing_is_given_back() -> None:
    one = stake()
    given(one, award(10))
    one.lost()
    assert one.claim(Wish(LIMIT, 0, 0), 1.0).keep == 10
    assert one.allowed(1.0) == 10


def test_closed_allows_nothing_and_open_everything_while_the_store_is_lost() -> None:
    closed, opened = stake(OnStoreDown.CLOSED, floor=2, instances=2), stake(OnStoreDown.OPEN)
    for one in (closed, opened):
        given(one, award(10))
        one.lost()
    assert closed.allowed(1.0) == 0
    assert opened.allowed(1.0) == LIMIT
    assert opened.exceeds(11, 1.0)
    assert not opened.exceeds(10, 1.0)
    given(closed, award(10))
    assert closed.allowed(0.0) == 12


def test_the_floor_is_ours_whatever_happens_and_unknown_to_the_store() -> None:
    one = stake(floor=3, instances=4)
    assert one.allowed(0.0) == 3
    assert one.claim(Wish(LIMIT, 2, 10), 0.0) == Claim(LIMIT - 12, 0, 0, 7, 1.0)
    given(one, award(7))
    assert one.allowed(0.0) == 10
    assert one.target == 3 + LIMIT
    assert one.allowed(LEASE) == 3
    assert one.exceeds(4, LEASE)


def test_more_than_was_asked_for_is_not_believed() -> None:
    one = stake()
    given(one, award(1_000_000), need=5)
    assert one.allowed(0.0) == 5


def test_turns_are_taken_within_a_clients_patience() -> None:
    one = stake(patience=20.0)
    one.awarded(Award(1, 2, 1, 0, 1), one.claim(Wish(2, 0, 1), 0.0), 0.0)
    given(one, Award(1, 2, 1, 0, 3), used=1, need=1)
    stay = 20.0 * 2 / 4
    assert one.allowed(stay - 0.1) == 1
    assert one.allowed(stay) == 0


def test_who_has_more_than_its_share_gives_way_soon_and_who_needs_none_at_once() -> None:
    one = stake(patience=20.0)
    given(one, Award(3, 4, 1, 2, 1), used=3, need=4)
    assert one.allowed(SHORTEST_STAY / 2) == 3
    assert one.allowed(SHORTEST_STAY) == 2
    given(one, Award(3, 4, 1, 0, 1), used=3, need=0)
    assert one.allowed(0.0) == 0


def test_an_answer_is_urgent_for_who_is_short_and_for_who_gives_way() -> None:
    one = stake()
    given(one, award(10), need=10)
    assert one.pace(0.0) == HEARTBEAT
    given(one, award(10), need=11)
    assert one.pace(0.0) == POLL
    given(one, award(10, target=5, short=1), need=10)
    assert one.pace(0.0) == POLL


def test_the_more_instances_wait_the_less_often_each_of_them_asks() -> None:
    one = stake()
    for sharers, pace in ((4, POLL), (100, 0.5), (1000, HEARTBEAT)):
        given(one, Award(0, LIMIT, LIMIT, 0, sharers, sharers), need=1)
        assert one.pace(0.0) == pace


def test_only_a_need_that_the_store_has_not_heard_of_has_risen() -> None:
    one = stake()
    given(one, award(4), need=6)
    assert not one.has_risen(Wish(LIMIT, 0, 6))
    assert one.has_risen(Wish(LIMIT, 0, 7))
    given(one, award(LIMIT), need=LIMIT)
    assert not one.has_risen(Wish(LIMIT, 0, LIMIT + 5))  # there is no more


def test_what_the_others_own_is_known() -> None:
    one = stake()
    given(one, award(10, others=7))
    assert one.others == 7


def test_it_is_left_alone_once_the_store_is_away_and_less_than_the_limit_is_allowed() -> None:
    one = stake()
    given(one, award(10))
    assert not one.is_left_alone(1.0)
    one.lost()
    assert one.is_left_alone(1.0)
    given(one, award(LIMIT), now=2.0)
    one.lost()
    assert not one.is_left_alone(3.0)  # all of it is ours
    assert one.is_left_alone(2.0 + LEASE)
    assert not _lost_and_open().is_left_alone(2.0 + LEASE)


def _lost_and_open() -> Stake:
    one = stake(OnStoreDown.OPEN)
    given(one, award(10))
    one.lost()
    return one


def test_a_store_that_knows_nothing_yet_says_for_how_long_it_deals_nothing_out() -> None:
    one = stake()
    assert one.deals_nothing_for(0.0) == 0.0
    claim = one.claim(Wish(LIMIT, 0, 10), 5.0)
    one.awarded(Award(0, LIMIT, 0, 0, 0, recovers=30_000), claim, 5.0)
    assert one.deals_nothing_for(15.0) == 20.0
    assert one.deals_nothing_for(40.0) == 0.0
