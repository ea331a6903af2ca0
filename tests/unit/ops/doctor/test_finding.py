"""What a finding is for programs."""

from __future__ import annotations

from proxy.ops.doctor.finding import Area, Cause, Finding, Weight


def test_a_program_reads_class_weight_cause_evidence_and_remedy() -> None:
    cause = Cause("refused", Area.ROUTE, Weight.PROBLEM, "Nobody listens.", "Correct the port.")
    assert Finding(cause, "port 2222").as_json() == {
        "code": "refused",
        "class": "routing or firewall",
        "weight": "problem",
        "cause": "Nobody listens.",
        "evidence": "port 2222",
        "remedy": "Correct the port.",
    }
