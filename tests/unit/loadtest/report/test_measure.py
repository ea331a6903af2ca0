"""What is concluded from rows and evidence."""

from __future__ import annotations

import pytest

from loadtest.record import Kind, Outcome, Record
from loadtest.report.measure import finding, jain, latency, thinned

from ..examples import file, scenario, sighting


def test_everything_done_is_a_success_of_one() -> None:
    served = finding(scenario(), sighting("direct")).served
    assert (served.planned, served.done, served.success) == (18, 18, 1.0)
    assert served.achieved == pytest.approx(1.8)


def test_failed_files_count_as_planned_and_by_outcome() -> None:
    served = finding(scenario(), sighting("direct", failed=2)).served
    assert (served.planned, served.done) == (18, 12)
    assert served.outcomes == {"refused": 6, "done": 12}


def test_a_skipped_script_counts_with_all_its_files() -> None:
    seen = sighting("direct")
    seen.records.append(Record(Kind.SCRIPT, Outcome.SKIPPED, 0, 3, 0, 0, 105.0, 105.0))
    served = finding(scenario(), seen).served
    assert (served.skipped, served.planned) == (1, 24)


def test_latency_is_told_in_quantiles() -> None:
    found = latency(number / 1000 for number in range(1, 1001))
    assert found is not None
    assert found.count == 1000
    assert found.p50 == pytest.approx(0.5, rel=0.01)
    assert found.p99 == pytest.approx(0.99, rel=0.01)
    assert found.longest == pytest.approx(1.0, rel=0.01)
    assert found.spectrum[-1][1] == found.longest
    assert latency([]) is None


def test_only_finished_files_have_a_total_but_every_wait_counts() -> None:
    phases = finding(scenario(), sighting("direct", failed=2)).phases
    assert phases["total"].count == 12
    assert phases["queue"].count == 18
    assert "connect" not in phases


@pytest.mark.parametrize(("shares", "index"), [([5, 5, 5], 1.0), ([9, 0, 0], 1 / 3), ([0, 0], 0)])
def test_jain_is_one_for_equals_and_one_nth_for_one_winner(
    shares: list[float], index: float
) -> None:
    assert jain(shares) == pytest.approx(index)


def test_scripts_of_one_source_are_one_source() -> None:
    found = finding(scenario(), sighting("direct"))
    assert [share[0] for share in found.shares] == ["hog", "small-0000"]
    assert found.fairness is not None
    assert found.fairness.jain == 1.0


def test_contention_ends_when_the_first_source_is_content() -> None:
    seen = sighting("direct")
    # The small one has all six after six seconds; the hog has done nothing before.
    seen.records = [file(2, number, 101.0 + number) for number in range(6)]
    seen.records += [file(0, number, 109.0) for number in range(6)]
    fairness = finding(scenario(), seen).fairness
    assert fairness is not None
    assert fairness.jain == 1.0
    assert fairness.jain_contended == pytest.approx(0.5)


def test_the_first_violation_is_named_with_its_moment() -> None:
    seen = sighting("direct")
    assert seen.evidence is not None
    seen.evidence.violations = [(103.25, 11, "data"), (104.0, 12, "control")]
    budget = finding(scenario(), seen).budget
    assert budget is not None
    assert budget.violations == 2
    assert budget.first_violation == "at 3.250 s a data connection made it 11, 10 are allowed"


def test_a_million_files_are_extrapolated_only_from_a_perfect_run() -> None:
    whole = scenario("extrapolate_to: 1800000\ntime_factor: 10\n")
    assert finding(whole, sighting("direct")).extrapolated_hours == pytest.approx(2777.8, rel=0.01)
    assert finding(whole, sighting("direct", failed=1)).extrapolated_hours is None


def test_thinning_keeps_the_peak_and_the_end() -> None:
    points = [(float(at), 1.0) for at in range(10_000)]
    points[4321] = (4321.0, 99.0)
    kept = thinned(points, 100)
    assert len(kept) <= 100
    assert (4321.0, 99.0) in kept
    assert kept[-1] == points[-1]
