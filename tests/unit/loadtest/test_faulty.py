"""Faults are seeded, counted, and happen as often as the scenario says."""

from __future__ import annotations

from typing import Any

import pytest

from loadtest.scenario import Faults
from loadtest.servers.faulty import CutShort, Mischief


def mischief(seed: int = 1, **faults: Any) -> Mischief:
    return Mischief(Faults.model_construct(**faults), seed)


def test_a_share_of_zero_never_strikes() -> None:
    assert not any(mischief().strikes("half_reply") for _ in range(100))


def test_a_share_is_met_and_counted() -> None:
    it = mischief(reset=0.127)
    struck = sum(it.for_a_file() == "reset" for _ in range(10_000))
    assert struck == pytest.approx(1270, rel=0.1)
    assert it.done["reset"] == struck


def test_the_same_seed_strikes_in_the_same_places() -> None:
    one, other = mischief(5, stall=0.3), mischief(5, stall=0.3)
    assert [one.for_a_file() for _ in range(50)] == [other.for_a_file() for _ in range(50)]


def test_exactly_every_thousandth_file_is_truncated() -> None:
    it = mischief(truncate_one_in=1000)
    struck = [number for number in range(1, 3001) if it.for_a_file() == "truncate"]
    assert struck == [1000, 2000, 3000]


def test_replies_of_two_sessions_are_swapped_once() -> None:
    it = mischief(swap_once_after=1)
    assert it.swap("a", "1") == [("a", "1")]
    assert it.swap("a", "2") == []
    assert it.swap("b", "3") == [("b", "2"), ("a", "3")]
    assert it.swap("a", "4") == [("a", "4")]
    assert it.swap("b", "5") == [("b", "5")]


class Whole:
    """A producer of a file."""

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = list(chunks)

    def more(self) -> bytes:
        """Return the next chunk."""
        return self._chunks.pop(0) if self._chunks else b""


def test_a_truncated_file_ends_after_half_as_if_it_were_whole() -> None:
    cut = CutShort(Whole(b"12345678"), 8, "truncate", channel=None)
    assert [cut.more(), cut.more()] == [b"1234", b""]
