"""`ftpweir explain` and docs/REFUSALS.md say what the table says."""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import fields
from pathlib import Path

import pytest

from proxy.refusals import REFUSALS, Reason, document, explain

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "REFUSALS.md"
PACKAGE = ROOT / "proxy"
DIAL_ERROR_TELLS = {"words", "retry"}  # see DialError.declined


def test_the_page_is_the_table() -> None:
    # When it differs: python -m proxy.refusals > docs/REFUSALS.md
    assert PAGE.read_text(encoding="utf-8") == document()


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_explained_with_its_remedies(reason: Reason) -> None:
    entry = REFUSALS[reason]
    text = " ".join((explain(reason) or "").split())
    for part in (entry.sentence, entry.cause, entry.script, entry.operator):
        assert part.replace("`", "") in text


@pytest.mark.parametrize("spelling", ["QUEUE_FULL", "queue_full", "queue-full", " Queue-Full\n"])
def test_a_reason_is_found_in_any_spelling(spelling: str) -> None:
    assert explain(spelling) == explain("queue_full")
    assert explain(spelling) is not None


@pytest.mark.parametrize("word", ["", "queue", "budget.connections", "\N{SNOWMAN}"])
def test_what_is_no_reason_has_no_explanation(word: str) -> None:
    assert explain(word) is None


def test_an_explanation_fits_a_terminal() -> None:
    lines = [line for reason in Reason for line in (explain(reason) or "").splitlines()]
    assert max(map(len, lines)) <= 100


def test_an_example_knows_no_more_than_its_refusal_is_ever_told() -> None:
    told: dict[str, set[str]] = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and call.args:
                known = {str(one.arg) for one in call.keywords}
                if len(call.args) > 1:
                    known |= {"words"} if is_for_want_of_data(call) else DIAL_ERROR_TELLS
                for reason in reasons(call.args[0]):
                    told[reason] |= known
    for entry in REFUSALS.values():
        example = entry.example
        known = {field.name for field in fields(example) if getattr(example, field.name)}
        assert known <= told[entry.reason.name], entry.reason


def is_for_want_of_data(call: ast.Call) -> bool:
    """Tell Declined.for_want_of_data, the other call with words behind the reason."""
    return isinstance(call.func, ast.Attribute) and call.func.attr == "for_want_of_data"


def reasons(argument: ast.expr) -> list[str]:
    """Name the reasons that an argument may stand for."""
    return [
        node.attr
        for node in ast.walk(argument)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "Reason"
    ]
