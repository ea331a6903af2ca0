"""When a server that says nothing is silent, and when it was not asked, or we were not there."""

from __future__ import annotations

from proxy.upstream.hush import LONGEST_STEP, Hush


def test_it_begins_with_the_first_look_at_which_an_answer_is_owed_and_grows() -> None:
    hush = Hush()
    hush.lasts(100.0, 7, is_asked=True)
    assert [hush.lasts(100.0 + n / 2, 7, is_asked=True) for n in range(1, 4)] == [0.5, 1.0, 1.5]


def test_one_reply_to_anybody_ends_it() -> None:
    hush = Hush()
    hush.lasts(100.0, 7, is_asked=True)
    hush.lasts(100.5, 7, is_asked=True)
    assert hush.lasts(101.0, 8, is_asked=True) == 0.0
    assert hush.lasts(101.5, 8, is_asked=True) == 0.5


def test_who_is_not_asked_is_not_silent() -> None:
    hush = Hush()
    for moment in (100.0, 100.5, 101.0):
        assert hush.lasts(moment, 7, is_asked=False) == 0.0
    assert hush.lasts(101.5, 7, is_asked=True) == 0.5


def test_while_we_stood_still_nobody_could_be_heard() -> None:
    hush = Hush()
    hush.lasts(100.0, 7, is_asked=True)
    hush.lasts(100.5, 7, is_asked=True)
    assert hush.lasts(160.5, 7, is_asked=True) == 0.5 + LONGEST_STEP
