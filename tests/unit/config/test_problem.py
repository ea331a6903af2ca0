"""What a problem looks like, and in which order problems are told."""

from __future__ import annotations

from proxy.config.problem import ConfigError, Problem, dotted, in_line_order


def test_a_problem_reads_as_file_line_column_key_message_and_suggestion() -> None:
    problem = Problem("a.yaml", 3, 5, "queue.max_wiat", "there is no such key", "max_wait")
    told = "a.yaml:3:5: queue.max_wiat: there is no such key (did you mean max_wait?)"
    assert str(problem) == told


def test_a_warning_says_that_it_is_one() -> None:
    problem = Problem("a.yaml", 3, 5, "queue", "is long", severity="warning")
    assert str(problem) == "a.yaml:3:5: warning: queue: is long"


def test_a_problem_of_the_whole_file_has_no_line() -> None:
    assert str(Problem("a.yaml", 0, 0, "", "cannot be read")) == "a.yaml: cannot be read"


def test_problems_are_told_in_line_order_and_only_once() -> None:
    late, early = Problem("f", 9, 1, "b", "x"), Problem("f", 2, 7, "a", "y")
    assert in_line_order([late, early, late]) == (early, late)


def test_an_error_carries_and_tells_every_problem() -> None:
    error = ConfigError([Problem("f", 2, 1, "b", "x"), Problem("f", 1, 1, "a", "y")])
    assert [problem.key for problem in error.problems] == ["a", "b"]
    assert str(error) == "f:1:1: a: y\nf:2:1: b: x"


def test_a_dotted_path_leaves_out_list_positions() -> None:
    assert dotted(("clients", 1, "source", 0)) == "clients.source"
