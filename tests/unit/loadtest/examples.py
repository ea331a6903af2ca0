"""Small runs, made up by hand, for the tests of what is computed and shown from them."""

from __future__ import annotations

from loadtest.reading import parse_scenario
from loadtest.record import Kind, Outcome, Record
from loadtest.report.findings import Report
from loadtest.report.judge import failures
from loadtest.report.measure import finding
from loadtest.scenario import Scenario
from loadtest.servers.wishes import Evidence
from loadtest.sighting import ProxyCost, Sighting

TEXT = """
name: made-up
proves: that <sums> are right
server: {sessions_per_address: 2}
firewall: {connections: 10, time_wait: 1s}
scripts:
  - {name: hog, count: 2, files: 6, sources: one}
  - {name: small, count: 1, files: 6}
"""


def scenario(more: str = "") -> Scenario:
    """Return the scenario."""
    return parse_scenario(TEXT + more, "made-up.yaml")


def file(script: int, number: int, ended: float, outcome: Outcome = Outcome.DONE) -> Record:
    """Return the row of a file."""
    return Record(
        Kind.FILE, outcome, 226, script, number, 1000, 100.0, ended, queue=0.1, total=ended - 100.0
    )


def sighting(target: str, *, failed: int = 0) -> Sighting:
    """Return a run of ten seconds in which every script did all but `failed` files."""
    records = [
        file(script, number, 101.0 + number + script / 10,
             Outcome.REFUSED if number < failed else Outcome.DONE)
        for script in range(3)
        for number in range(6)
    ]  # fmt: skip
    records += [
        Record(Kind.SCRIPT, Outcome.DONE, 0, script, 5, 0, 100.0, 107.0, lag=0.01, total=7.0)
        for script in range(3)
    ]
    return Sighting(
        target,
        began=100.0,
        seconds=10.0,
        records=records,
        evidence=Evidence(
            "emulated firewall", 10, 9, 2, 20, history=[(100.5, 9), (104.0, 3)],
            can_count_bytes=True, sent=18_000,
        ),
    )  # fmt: skip


def report(*, failed: int = 0, violations: int = 0, expressions: tuple[str, ...] = ()) -> Report:
    """Return a report about both targets; the judged one is as bad as asked for."""
    direct, proxied = sighting("direct", failed=3), sighting("ftpweir", failed=failed)
    direct.reasons = {"421 <Too> many": 5}
    proxied.proxy = ProxyCost(0.9, 50_000_000, [0.001, 0.002])
    assert proxied.evidence is not None
    proxied.evidence.violations = [(103.25, 11, "data")] * violations
    findings = [finding(scenario(), it) for it in (direct, proxied)]
    return Report(
        "made-up", "that <sums> are right", "none", "ftpweir", {"seed": "1"}, findings,
        failures(findings, "ftpweir", list(expressions)),
    )  # fmt: skip
