"""The library's errors in our words, at their place."""

from __future__ import annotations

import pytest

from proxy.config.parsing import examine


def told(text: str) -> list[str]:
    return [str(problem) for problem in examine(text, "f").problems]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("listne: x", "1:1: listne: there is no such key (did you mean listen?)"),
        ("connections: 5", "1:1: connections: there is no such key (did you mean budget.connecti"),
        ("address: 5", "1:1: address: there is no such key"),
        ("zzz: 5", "1:1: zzz: there is no such key"),
        ("queue: {max-wait: 5s}", "1:9: queue.max-wait: there is no such key (did you mean max_w"),
        ("queue: {max_wait: 45}", "1:19: queue.max_wait: expected a duration such as 45s, 2m or"),
        ("queue: 5", "1:8: queue: expected a section with keys of its own, got '5'"),
        ("queue:", "1:7: queue: expected a section with keys of its own, got nothing"),
        ("clients: all", "1:10: clients: expected a list (each item on a line that begins with"),
        ("clients: [{}]", "1:11: clients.name: is missing"),
        ("clients: []", "1:10: clients: expected at least one item, got an empty list"),
        ("listen: 5", "1:9: listen.address: expected an address and port such as 127.0.0.1:2121"),
        ("budget: {enforce: yes}", "1:19: budget.enforce: expected on, shadow or off, got 'yes' "),
    ],
)
def test_each_kind_of_mistake_has_its_sentence(line: str, problem: str) -> None:
    (only,) = told(f"{line}\nupstream: {{host: a}}")
    assert only.startswith(f"f:{problem}")


def test_a_word_that_several_sections_know_gets_no_suggestion() -> None:
    assert told("address: 5\nupstream: {host: a}") == ["f:1:1: address: there is no such key"]


def test_a_missing_server_is_told_with_an_example() -> None:
    assert told("listen: 127.0.0.1:21")[0].startswith("f:1:1: upstream: the server behind us is m")
    missing = "f:1:1: upstream.host: the name or address of the server is missing"
    assert told("upstream: {port: 21}") == [missing]


def test_a_value_that_already_has_its_problem_gets_no_second_one() -> None:
    assert told('upstream: {host: "${GONE}"}') == [
        "f:1:18: upstream.host: the environment variable GONE is not set"
    ]


@pytest.mark.parametrize("value", ["x", "[x]", "{x: y}", "[{x: y}]", "''"])
def test_the_library_never_speaks_itself(value: str) -> None:
    sections = "listen passive upstream budget queue clients refusals login timeouts heal log"
    for section in sections.split():
        for line in told(f"{section}: {value}"):
            assert "pydantic" not in line
            assert "Input should" not in line
            assert "something else" not in line
