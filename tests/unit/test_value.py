"""What values are at run time; that nobody changes them is mypy's to say. And keys of tables."""

from __future__ import annotations

import dataclasses
from enum import auto

import pytest

from proxy.value import Keyed, value


@value
class Point:
    """Somewhere."""

    x: int
    y: int = 0


def test_values_with_the_same_fields_are_equal_and_one_key() -> None:
    assert Point(1) == Point(1, 0)
    assert {Point(1): "here"}[Point(1, 0)] == "here"


def test_values_with_other_fields_differ() -> None:
    assert Point(1) != Point(2)


def test_a_value_has_the_fields_it_was_declared_with_and_no_others() -> None:
    assert [field.name for field in dataclasses.fields(Point)] == ["x", "y"]
    with pytest.raises(AttributeError):
        Point(1).z = 1  # type: ignore[attr-defined]


def test_mypy_takes_a_value_for_frozen() -> None:
    point = Point(1)
    point.x = 2  # type: ignore[misc]  # an unused ignore is an error: this line is the test
    assert point == Point(2)


class Colour(Keyed):
    """Of a light."""

    RED = auto()
    GREEN = auto()


def test_members_are_found_in_tables() -> None:
    table = {Colour.RED: "stop", Colour.GREEN: "go"}
    assert [table[colour] for colour in Colour] == ["stop", "go"]
    assert Colour(2) in frozenset({Colour.GREEN})
