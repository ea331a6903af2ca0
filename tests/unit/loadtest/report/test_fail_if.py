"""The language of --fail-if: comparisons joined by and, or, not; nothing is ever executed."""

from __future__ import annotations

import pytest

from loadtest.report.fail_if import BadExpression, parse_expression, what_holds

METRICS = {"violations": 1.0, "p95_queue": 31.0, "success": 0.98, "direct.rate": 5.0}


def holds(text: str) -> bool:
    return bool(what_holds(parse_expression(text), METRICS))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("violations>0", True),
        ("violations > 1", False),
        ("violations>=1 and success<99%", True),
        ("violations>1 or p95_queue>30s", True),
        ("p95_queue>1m", False),
        ("p95_queue>30500ms", True),
        ("success<100%", True),
        ("success==0.98", True),
        ("success!=0.98", False),
        ("not success<90%", True),
        ("direct.rate<=5", True),
        ("violations>1 and violations>1 or success<1", True),
        ("violations>1 and (violations>1 or success<1)", False),
    ],
)
def test_an_expression_holds_or_not(text: str, expected: bool) -> None:
    assert holds(text) is expected


def test_the_comparisons_that_hold_are_named_with_what_was_measured() -> None:
    held = what_holds(parse_expression("violations>0 or success<50%"), METRICS)
    assert held == ["violations>0 (violations is 1)"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "violations",
        "violations >",
        "1>violations",
        "(violations>0",
        "violations>0 violations>1",
        "violations>0 and",
        "__import__('os')",
        "violations>0x10",
        "violations>30x",
        "a>1;b>2",
        "(" * 60 + "a>1" + ")" * 60,
    ],
)
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(BadExpression):
        parse_expression(text)


def test_a_name_that_was_not_measured_is_refused_with_a_suggestion() -> None:
    with pytest.raises(BadExpression, match="did you mean violations"):
        holds("violation>0")
