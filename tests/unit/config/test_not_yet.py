"""Keys whose function is still to come are refused in words, never ignored."""

from __future__ import annotations

import pytest

from proxy.config.document import read_document
from proxy.config.explain import keys
from proxy.config.not_yet import NOT_YET, NotYet, hold_back
from proxy.config.parsing import examine

# One value that a key takes by its kind, where the row names none.
SAMPLES: dict[str, str] = {}
IN_LISTS = {"listen": "address: 127.0.0.1:2121", "clients": "name: a"}


def written(key: str, value: str) -> str:
    """Write a file that sets one key."""
    section, _, last = key.rpartition(".")
    if not section:
        return f"{last}: {value}\nupstream: {{host: a}}"
    if section in IN_LISTS:
        return f"{section}: [{{{IN_LISTS[section]}, {last}: {value}}}]\nupstream: {{host: a}}"
    if section == "upstream":
        return f"upstream: {{host: a, {last}: {value}}}"
    return f"{section}: {{{last}: {value}}}\nupstream: {{host: a}}"


WAITING = [
    (key, value)
    for key, row in NOT_YET.items()
    for value in sorted(row.waiting) or [SAMPLES.get(key, "./a.file")]
]


@pytest.mark.parametrize(("key", "value"), WAITING)
def test_a_value_that_waits_is_one_problem_with_its_place(key: str, value: str) -> None:
    reading = examine(written(key, value), "f")
    (problem,) = reading.problems
    assert reading.config is None
    assert (problem.key, problem.line) == (key, 1)
    assert problem.column > 1
    assert problem.message == f"not yet: {NOT_YET[key].reason}"


@pytest.mark.parametrize("key", [key for key, row in NOT_YET.items() if row.waiting])
def test_a_misspelt_word_is_a_mistake_and_does_not_wait(key: str) -> None:
    (problem,) = examine(written(key, "xyz"), "f").problems
    assert problem.message.startswith("expected ")


def test_every_row_is_about_a_key_that_exists() -> None:
    assert set(NOT_YET) <= set(keys())


def test_what_waits_leaves_the_document() -> None:
    document, _ = read_document("heal: {uploads: on, downloads: off}", "f", {})
    assert len(list(hold_back(document))) == 1
    assert document.data == {"heal": {"downloads": "off"}}


@pytest.mark.parametrize(
    ("value", "waits"), [("on", True), ("off", False), (["on"], False), ({}, False)]
)
def test_a_row_with_words_holds_only_these(value: object, waits: bool) -> None:
    assert NotYet("later", frozenset({"on"})).holds(value) is waits


@pytest.mark.parametrize(("value", "waits"), [("x", True), ("none", False), ([], False)])
def test_a_row_without_words_holds_everything_but_nothing(value: object, waits: bool) -> None:
    assert NotYet("later").holds(value) is waits
