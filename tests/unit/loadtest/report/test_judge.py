"""Lies and a broken limit always fail a run; an expression adds to that."""

from __future__ import annotations

from dataclasses import replace

from loadtest.report.findings import Correctness
from loadtest.report.judge import all_metrics, failures

from ..examples import report


def test_a_clean_run_passes_however_bad_the_baseline() -> None:
    assert report().failures == []


def test_a_violation_fails_the_run() -> None:
    [reason] = report(violations=1).failures
    assert "exceeded 1 times, first at 3.250 s" in reason


def test_wrong_bytes_and_strangers_fail_the_run_with_their_spots() -> None:
    found = report().findings[1]
    lying = replace(found, correctness=Correctness(["spot A"], ["spot B"], 1, None))
    reasons = failures([lying], "ftpweir", [])
    assert reasons == ["ftpweir: wrong bytes: spot A", "ftpweir: a stranger's reply: spot B"]


def test_failed_files_alone_do_not_fail_the_run_unless_asked() -> None:
    assert report(failed=1).failures == []
    [reason] = report(failed=1, expressions=("success<100%",)).failures
    assert reason.startswith("--fail-if: success<100%")


def test_an_expression_that_cannot_be_judged_fails_the_run() -> None:
    [reason] = report(expressions=("nonsense>0",)).failures
    assert "cannot be judged" in reason


def test_bare_names_are_the_judged_targets() -> None:
    findings = report(failed=1).findings
    metrics = all_metrics(findings, "ftpweir")
    assert metrics["success"] == metrics["ftpweir.success"] != metrics["direct.success"]
    assert metrics["p95_queue"] > 0


def test_a_target_that_was_not_run_fails() -> None:
    assert failures([], "ftpweir", []) == ["ftpweir was not run"]
