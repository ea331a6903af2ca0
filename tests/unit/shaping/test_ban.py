"""When a ban is suspected, how long nothing is tried, and how trust returns."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy.shaping.ban import SILENCES, BanWatch

LIMIT = 40
HOLD = 60.0


def banned(limit: int = LIMIT) -> BanWatch:
    """Return one that has just suspected a ban, at 0.0."""
    watch = BanWatch(limit, HOLD)
    for _ in range(SILENCES):
        watch.unanswered(0.0)
    return watch


def test_at_first_nothing_is_suspected() -> None:
    watch = BanWatch(LIMIT, HOLD)
    assert watch.until(0.0) is None
    assert (watch.limit, watch.bans) == (LIMIT, 0)


def test_lost_packets_are_no_ban() -> None:
    watch = BanWatch(LIMIT, HOLD)
    for _ in range(10):
        for _ in range(SILENCES - 1):
            assert not watch.unanswered(0.0)
        watch.answered(0.0)
    assert watch.until(0.0) is None
    assert watch.limit == LIMIT


def test_silences_in_a_row_are() -> None:
    watch = BanWatch(LIMIT, HOLD)
    assert [watch.unanswered(0.0) for _ in range(SILENCES)] == [False, False, True]
    assert watch.bans == 1


def test_nothing_is_tried_for_a_whole_hold() -> None:
    watch = banned()
    assert watch.until(0.0) == HOLD
    assert watch.until(HOLD - 1) == HOLD
    assert watch.until(HOLD) is None


def test_then_half_the_budget_must_do() -> None:
    assert banned().limit == LIMIT // 2


def test_one_slot_is_always_left() -> None:
    assert banned(limit=1).limit == 1


def test_those_who_were_trying_already_make_no_second_ban() -> None:
    watch = banned()
    assert not any(watch.unanswered(1.0) for _ in range(20))
    assert watch.until(1.0) == HOLD
    assert (watch.limit, watch.bans) == (LIMIT // 2, 1)


def test_silence_after_the_hold_is_a_ban_again() -> None:
    watch = banned()
    assert [watch.unanswered(HOLD) for _ in range(SILENCES)][-1]
    assert watch.until(HOLD) == 2 * HOLD
    assert (watch.limit, watch.bans) == (LIMIT // 4, 2)


def test_the_limit_grows_by_one_for_each_hold_without_a_silence() -> None:
    watch = banned()
    assert not watch.answered(2 * HOLD - 1)
    assert watch.answered(2 * HOLD)
    assert not watch.answered(3 * HOLD - 1)
    assert watch.answered(3 * HOLD)
    assert watch.limit == LIMIT // 2 + 2


def test_a_silence_puts_the_growth_off() -> None:
    watch = banned()
    watch.unanswered(2 * HOLD - 1)
    assert not watch.answered(2 * HOLD)
    assert watch.answered(3 * HOLD - 1)


def test_it_grows_back_to_the_configured_limit_and_no_further() -> None:
    watch, now = banned(), 2 * HOLD
    while watch.answered(now):
        now += HOLD
    assert watch.limit == LIMIT


@given(
    limit=st.integers(1, 500),
    steps=st.lists(st.tuples(st.integers(0, 90), st.booleans()), max_size=200),
)
def test_the_limit_stays_in_its_bounds_and_a_ban_lasts_one_hold(
    limit: int, steps: list[tuple[int, bool]]
) -> None:
    watch, now, bans = BanWatch(limit, HOLD), 0.0, 0
    grown_at = -HOLD
    for seconds, is_answered in steps:
        now += seconds
        before, was_banned = watch.limit, watch.until(now) is not None
        if is_answered:
            grew = watch.answered(now)
            assert watch.limit == before + grew <= limit
            if grew:
                assert not was_banned
                assert now >= grown_at + HOLD
                grown_at = now
        else:
            is_ban = watch.unanswered(now)
            bans += is_ban
            assert watch.limit == (max(1, before // 2) if is_ban else before)
            assert not (is_ban and was_banned)
        until = watch.until(now)
        assert until is None or now < until <= now + HOLD
        assert 1 <= watch.limit <= limit
    assert watch.bans == bans


def test_another_limit_counts_at_once_unless_a_ban_has_lowered_it() -> None:
    watch = BanWatch(100, 10.0)
    watch.adopt(80, 10.0)
    assert watch.limit == 80
    for _ in range(SILENCES):
        watch.unanswered(0.0)
    watch.adopt(200, 10.0)
    assert watch.limit == 40
    watch.adopt(30, 10.0)
    assert watch.limit == 30
