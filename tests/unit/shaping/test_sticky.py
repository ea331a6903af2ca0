"""Old places in the queue: given back once, and not for ever."""

from __future__ import annotations

from proxy.shaping.sticky import MOST_PLACES, StickyPlaces

ERRAND = ("10.0.0.1", b"RETR a.bin")


def test_a_newcomer_has_no_place() -> None:
    assert StickyPlaces(80.0).take(ERRAND, 0.0) is None


def test_who_comes_back_finds_the_old_place() -> None:
    places = StickyPlaces(80.0)
    places.keep(ERRAND, 7.5, 0.0)
    assert places.take(ERRAND, 79.0) == 7.5


def test_a_place_is_given_back_only_once() -> None:
    places = StickyPlaces(80.0)
    places.keep(ERRAND, 7.5, 0.0)
    places.take(ERRAND, 1.0)
    assert places.take(ERRAND, 1.0) is None


def test_a_place_is_not_kept_for_ever() -> None:
    places = StickyPlaces(80.0)
    places.keep(ERRAND, 7.5, 0.0)
    assert places.take(ERRAND, 80.0) is None


def test_a_place_kept_again_is_kept_longer() -> None:
    places = StickyPlaces(80.0)
    places.keep(ERRAND, 7.5, 0.0)
    places.keep(ERRAND, 6.5, 50.0)
    assert places.take(ERRAND, 100.0) == 6.5


def test_another_errand_has_another_place() -> None:
    places = StickyPlaces(80.0)
    places.keep(ERRAND, 7.5, 0.0)
    assert places.take((ERRAND[0], b"RETR b.bin"), 1.0) is None
    assert places.take(("10.0.0.2", ERRAND[1]), 1.0) is None


def test_of_too_many_the_oldest_is_forgotten() -> None:
    places = StickyPlaces(80.0)
    places.keep(("a", b""), 1.0, 0.0)
    places.keep(("b", b""), 2.0, 0.0)
    places.keep(("a", b""), 1.0, 0.0)  # came again: not the oldest any more
    for number in range(MOST_PLACES - 1):
        places.keep((f"other {number}", b""), 3.0, 0.0)
    assert places.take(("b", b""), 1.0) is None
    assert places.take(("a", b""), 1.0) == 1.0
