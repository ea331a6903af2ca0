"""Samples, and what a run says about them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from loadtest.bench import results
from loadtest.bench.works import Unit

from .examples import a_run, small


def test_a_figure_is_a_rate_in_the_works_unit() -> None:
    sample = small("ftpweir", 0, 4000)
    assert sample.figure == 2000
    assert replace(sample, unit=Unit.GIB.value, moved=2**31).figure == 1.0
    deciles = [2.0, *[5.0] * 8, 1.0]
    assert replace(sample, unit=Unit.STEADY.value, deciles=deciles).figure == 0.5
    assert replace(sample, unit=Unit.ANSWER.value, answers=[0.001, 0.004, 0.1]).figure == 4.0


def test_a_price_is_per_thousand_files_or_per_gib() -> None:
    sample = small("ftpweir", 0, 2000)
    assert sample.price == 0.25
    assert replace(sample, files=0, moved=2**31).price == 0.25
    assert replace(sample, files=0, moved=0).price == 0.0


def test_a_ratio_compares_round_with_round_and_takes_the_median() -> None:
    # The machine was twice as fast in the second round: no ratio notices.
    run = a_run(
        small("ftpweir", 0, 100),
        small("mod_proxy", 0, 200),
        small("ftpweir", 1, 200),
        small("mod_proxy", 1, 400),
        small("ftpweir", 2, 120),
        small("mod_proxy", 2, 200),
    )
    assert run.ratio("small-8-down", "ftpweir", "mod_proxy") == 0.5


def test_a_round_that_lacks_one_of_two_gives_no_ratio() -> None:
    run = a_run(small("ftpweir", 0, 100), small("ftpweir", 1, 100), small("mod_proxy", 1, 400))
    assert run.ratio("small-8-down", "ftpweir", "mod_proxy") == 0.25


def test_what_was_not_measured_has_no_figure() -> None:
    run = a_run(small("ftpweir", 0, 100))
    assert run.ratio("small-8-down", "ftpweir", "HAProxy") is None
    assert run.middle("bulk-1-down", "ftpweir") is None
    assert run.middle("small-8-down", "ftpweir") == pytest.approx(50)


def test_a_run_that_was_written_is_read_as_it_was(tmp_path: Path) -> None:
    run = a_run(small("ftpweir", 0, 100), small("direct", 0, 500))
    run.failures.append(results.Failure("direct", "RETR small.bin: wrong bytes"))
    results.write(run, tmp_path / "sub" / "run.json")
    assert results.read(tmp_path / "sub" / "run.json") == run
