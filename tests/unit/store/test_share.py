from __future__ import annotations

from proxy.shaping.stake import Claim, OnStoreDown, Stake, Terms, Wish
from proxy.store.share import Share
from tests.support.part import Part

CLAIM = Claim(10, 3, 4, 5, 2.0)


def test_until_somebody_uses_it_nothing_of_it_is_used_or_needed() -> None:
    share = Part(10).share
    assert (share.wish(), share.remaining()) == (Wish(0, 0, 0), 0.0)
    share.hear()


def test_who_uses_it_is_asked_and_hears() -> None:
    heard: list[int] = []
    share = Part(10).share
    share.serve(lambda: Wish(10, 2, 3), lambda: heard.append(1), lambda: 7.0)
    share.hear()
    assert (share.wish(), share.remaining(), heard) == (Wish(10, 2, 3), 7.0, [1])


def test_who_talks_with_the_store_is_told_when_it_begins_needs_more_and_is_over() -> None:
    part = Part(10)
    part.share.begin()
    assert part.is_begun
    part.share.ask()
    part.share.drop()
    assert (part.asked, part.is_begun) == (1, False)


def test_the_script_reads_milliseconds() -> None:
    teller = Part(10)
    stake = Stake(Terms(60.0, OnStoreDown.LOCAL_SHARE))
    share = Share("key", stake, teller, hold=1.5, recovery=30.0)
    assert share.numbers(CLAIM) == [30_000, 1500, 10, 3, 4, 5, 2.0]
