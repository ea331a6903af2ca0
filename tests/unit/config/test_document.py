"""The document: places, repeated keys, and what the environment fills in."""

from __future__ import annotations

import pytest

from proxy.config.document import read_document, walk
from proxy.config.problem import ConfigError


def test_data_is_made_of_text_only() -> None:
    document, problems = read_document("a: 1\nb: {c: [yes, 2]}", "f", {})
    assert document.data == {"a": "1", "b": {"c": ["yes", "2"]}}
    assert problems == ()


def test_an_empty_file_is_an_empty_document() -> None:
    document, problems = read_document("# nothing\n", "f", {})
    assert (document.data, problems) == ({}, ())


@pytest.mark.parametrize("text", ["- a", "word", "[]"])
def test_a_file_that_is_no_section_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="f:1:1: expected keys"):
        read_document(text, "f", {})


def test_a_key_written_twice_is_a_problem_and_the_first_stays() -> None:
    document, (problem,) = read_document("a: {b: 1,\n b: 2}", "f", {})
    assert str(problem) == "f:2:2: a.b: written twice, the first time on line 1: remove one"
    assert document.data == {"a": {"b": "1"}}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("${HOST}", "h"),
        ("x${HOST}y${HOST}", "xhyh"),
        ("${NONE:-d}", "d"),
        ("${NONE:-}", ""),
        ("${EMPTY:-d}", "d"),
        ("${HOST:-d}", "h"),
        ("$HOST {HOST}", "$HOST {HOST}"),
    ],
)
def test_the_environment_fills_in_values(text: str, filled: str) -> None:
    document, problems = read_document(f"a: '{text}'", "f", {"HOST": "h", "EMPTY": ""})
    assert (document.data, problems) == ({"a": filled}, ())


def test_what_the_environment_says_is_never_read_as_yaml() -> None:
    document, _ = read_document("a: ${X}", "f", {"X": "{b: [c]} ${Y} # d"})
    assert document.data == {"a": "{b: [c]} ${Y} # d"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${GONE}", "the environment variable GONE is not set"),
        ("${EMPTY}", "the environment variable EMPTY is not set"),
        ("${", "unfinished ${"),
        ("${1}", "unfinished ${"),
        ("${A:-${B}}", "unfinished ${"),
    ],
)
def test_a_variable_that_cannot_be_filled_in_is_a_problem(text: str, message: str) -> None:
    document, problems = read_document(f"a: '{text}'", "f", {"EMPTY": ""})
    assert str(problems[0]).startswith(f"f:1:4: a: {message}")
    assert document.broken == {("a",)}


def test_aliases_cannot_multiply_without_end() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]" for n in range(9)]
    with pytest.raises(ConfigError, match="the aliases multiply without end"):
        read_document("\n".join(lines), "f", {})


def test_a_problem_stands_at_its_value_or_at_the_section_around_it() -> None:
    document, _ = read_document("top:\n  in: x\n  list: [y]", "f", {})
    assert str(document.problem(("top", "in"), "m")) == "f:2:7: top.in: m"
    assert str(document.problem(("top", "gone"), "m")) == "f:1:1: top.gone: m"
    assert str(document.problem(("gone",), "m")) == "f:1:1: gone: m"
    assert str(document.problem(("top", "list", 0), "m")) == "f:3:10: top.list: m"
    assert str(document.problem(("top", "in", 0, "deep"), "m")) == "f:2:7: top.in.deep: m"
    assert str(document.problem_at_key(("top", "in"), "m")) == "f:2:3: top.in: m"


def test_a_walk_visits_sections_before_their_content() -> None:
    document, _ = read_document("a: {b: [c]}", "f", {})
    paths = [path for path, _ in walk(document.data)]
    assert paths == [("a",), ("a", "b"), ("a", "b", 0)]
