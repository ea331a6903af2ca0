"""The words for what works, but not well."""

from __future__ import annotations

from proxy.ops.doctor.hints import NOTES, WARNINGS
from proxy.ops.doctor.problems import PROBLEMS


def test_no_hint_has_the_name_of_a_problem_or_another_hint() -> None:
    codes = [code for code, *_ in (*PROBLEMS, *WARNINGS, *NOTES)]
    assert len(codes) == len(set(codes))
