"""What becomes of moments and answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest.bench.crowd import SMALL_SIZE, Deed, Seen, block
from loadtest.bench.measurement import answer_times, deciles, wrong_uploads


def test_each_decile_is_the_rate_of_its_own_files() -> None:
    # A second for each of the first nine tenths, two for the last.
    moments = [10 + number / 10 for number in range(1, 91)]
    moments += [19 + number / 5 for number in range(1, 11)]
    assert list(deciles(10.0, moments)) == pytest.approx([10.0] * 9 + [5.0])


def test_answers_are_told_by_median_p99_and_the_longest() -> None:
    times = [number / 1000 for number in range(1, 1001)]
    assert answer_times(times) == pytest.approx([0.5005, 0.99001, 1.0])
    assert answer_times([0.5]) == [0.5, 0.5, 0.5]


def test_every_stored_file_is_compared(tmp_path: Path) -> None:
    good = block()[:SMALL_SIZE]
    (tmp_path / "0-0").write_bytes(good)
    (tmp_path / "0-1").write_bytes(good[:-1])
    (tmp_path / "1-0").write_bytes(block() + block()[:100])
    (tmp_path / "2-0").write_bytes(block()[1:])
    deeds = [Deed.STORE, Deed.STORE_BULK, Deed.STORE_BULK]
    told = wrong_uploads(tmp_path, deeds, [Seen(stored=2), Seen(), Seen()])
    assert told == ["STOR 0-1: other bytes are there", "STOR 2-0: other bytes are there"]
