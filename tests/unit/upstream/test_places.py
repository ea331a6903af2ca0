from __future__ import annotations

from itertools import count

from proxy.shaping.ledger import Kind, Slot
from proxy.shaping.stake import Wish
from proxy.upstream.places import Places
from proxy.upstream.seat import Seat, Use
from tests.support.part import Part

LIMIT = 4
_ids = count(1)


def seat(use: Use = Use.LENT, since: float = 0.0) -> Seat:
    return Seat(Slot(next(_ids), Kind.CONTROL, "", 0.0), use, since)


def places(part: Part | None = None) -> Places:
    return Places(LIMIT, part.share if part else None, lambda: 0.0)


def test_alone_all_places_are_ours() -> None:
    here = places()
    assert (here.limit, here.ours, here.unfilled) == (LIMIT, LIMIT, LIMIT)
    for _ in range(LIMIT):
        assert here.is_free()
        here.fill(seat())
    assert not here.is_free()
    assert not here.is_overfull


def test_of_shared_places_only_those_given_are_ours_and_more_are_asked_for() -> None:
    part = Part(LIMIT)
    here = places(part)
    assert (here.ours, here.is_free()) == (0, False)
    part.give(1)
    assert (here.limit, here.ours, here.unfilled) == (LIMIT, 1, 1)
    here.fill(seat())
    assert not here.is_free()
    assert part.asked == 2


def test_the_lowest_limit_that_any_instance_goes_by_is_ours_too_but_not_what_we_claim() -> None:
    part = Part(LIMIT)
    here = places(part)
    part.give(1, others=2, limit=3)
    assert (here.limit, here.configured, here.elsewhere) == (3, LIMIT, 2)
    assert here.wish().limit == LIMIT


def test_only_a_limit_that_is_configured_should_be_the_same_everywhere() -> None:
    part = Part(LIMIT)
    here = places(part)
    assert part.share.setting == "upstream.sessions"
    here.adopt(None, patience=7.0)
    assert part.stake.patience == 7.0
    assert part.share.setting == ""
    part.give(1, limit=3)
    assert here.configured == here.limit == 3
    assert places().elsewhere == 0


def test_who_has_all_places_asks_for_no_more() -> None:
    part = Part(LIMIT)
    here = places(part)
    part.give(LIMIT)
    for _ in range(LIMIT):
        here.fill(seat())
    assert not here.is_free()
    assert part.asked == 0


def test_the_longest_idle_are_given_back_and_those_in_use_are_not() -> None:
    part = Part(LIMIT)
    here = places(part)
    part.give(LIMIT)
    lent, closing = seat(), seat(Use.CLOSING)
    young, old = seat(Use.IDLE, since=9.0), seat(Use.IDLE, since=1.0)
    for one in (lent, closing, young, old):
        here.fill(one)
    for one in (old, young):
        here.rest(one)
    assert here.to_give_back() == []
    part.give(2, others=2, short=1)
    assert here.is_overfull
    assert here.to_give_back() == [old]
    part.give(0, others=4, short=1)
    assert here.to_give_back() == [old, young]


def test_the_last_used_comes_first_when_read_backwards() -> None:
    here = places()
    first, second = seat(Use.IDLE, since=1.0), seat(Use.IDLE, since=2.0)
    for one in (first, second):
        here.fill(one)
    here.rest(first)
    assert list(reversed(here)) == [first, second]


def test_the_store_is_told_what_is_there_and_what_is_needed() -> None:
    part = Part(LIMIT)
    here = places(part)
    here.serve(lambda: (3, 2.0))
    victim = seat(Use.CLOSING)
    heir = seat(Use.OPENING)
    heir.instead_of = victim
    for one in (victim, heir, seat(Use.IDLE), seat(Use.LENT)):
        here.fill(one)
    assert here.wish() == Wish(LIMIT, 3, 5, 2.0)
    here.free(victim)
    assert here.wish().used == 3


def test_the_limit_is_learned_from_the_sessions_of_all_instances() -> None:
    part = Part(LIMIT)
    learning = Places(None, part.share, lambda: 0.0)
    part.give(1, others=3)
    mine = seat()
    learning.fill(mine)
    learning.refused(mine)
    assert learning.limit == 3
    assert not learning.tick()


def test_a_login_is_there_as_long_as_a_session_of_it_is() -> None:
    here = places()
    one = seat()
    here.fill(one)
    assert here.has_login(None)
    here.free(one)
    assert not here.has_login(None)
    assert list(here) == []
