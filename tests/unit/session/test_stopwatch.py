"""Every second of a transfer belongs to one phase, however often it is tried."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from proxy.session.stopwatch import PHASES, Stopwatch

ATTEMPT = len(PHASES) - 1  # marks of an attempt up to its final reply


def stopwatch(moments: Iterable[float]) -> Stopwatch:
    return Stopwatch(iter(moments).__next__)


def test_each_mark_ends_a_phase() -> None:
    watch = stopwatch((10.0, 11.0, 13.0, 16.0, 20.0, 25.0))
    seen = []
    for _ in PHASES:
        seen.append(watch.phase)
        watch.mark()
    assert tuple(seen) == PHASES
    assert tuple(watch.seconds().values()) == (1.0, 2.0, 3.0, 4.0, 5.0)


def test_a_phase_that_was_never_over_took_no_time() -> None:
    watch = stopwatch((10.0, 11.0))
    watch.mark()
    assert watch.seconds() == {"queue": 1.0, "prepare": 0.0, "open": 0.0, "data": 0.0, "final": 0.0}


@pytest.mark.parametrize(
    ("marks", "broken"), [(1, "prepare"), (2, "open"), (3, "data"), (4, "data")]
)
def test_another_attempt_counts_for_the_phase_that_broke(marks: int, broken: str) -> None:
    watch = stopwatch(float(moment) for moment in range(20))
    for _ in range(marks):
        watch.mark()
    watch.begin_again()
    assert watch.phase == broken
    for _ in range(PHASES.index(broken)):
        watch.mark()
        assert watch.phase == broken
    watch.mark()
    assert watch.phase == PHASES[PHASES.index(broken) + 1]


def test_where_another_attempt_finds_all_done_the_time_is_the_broken_phases() -> None:
    watch = stopwatch((10.0, 11.0, 12.0, 13.0, 20.0, 50.0))
    for _ in range(ATTEMPT):
        watch.mark()
    watch.begin_again()
    watch.mark()
    watch.finish()
    assert sum(watch.seconds().values()) == watch.seconds()["data"] + 3.0 == 40.0


def test_what_was_over_already_ends_once() -> None:
    watch = stopwatch((10.0, 11.0, 12.0, 13.0, 14.0, 15.0))
    for _ in PHASES:
        watch.mark()
    watch.finish()
    assert sum(watch.seconds().values()) == 5.0


def test_no_time_is_lost_however_often_it_breaks() -> None:
    watch = stopwatch(float(moment) for moment in range(100))
    for _ in range(3):
        for _ in range(ATTEMPT):
            watch.mark()
        watch.begin_again()
    for _ in PHASES:
        watch.mark()
    # The clock is not looked at for a mark that repeats one: each of its ticks ended a phase.
    assert watch.seconds() == {
        "queue": 1.0,
        "prepare": 1.0,
        "open": 1.0,
        "data": 4.0,
        "final": 1.0,
    }
