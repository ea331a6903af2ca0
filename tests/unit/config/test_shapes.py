"""Shapes: words, reading and writing of each kind, and how they join."""

from __future__ import annotations

from typing import Literal

import pytest
from pydantic import TypeAdapter, ValidationError

from proxy.config import shapes
from proxy.config.units import Misfit


def test_none_stands_for_absence_where_it_is_allowed() -> None:
    shape = shapes.or_none(shapes.COUNT)
    assert shape.parse("none") is None
    assert shape.parse(None) is None
    assert shape.parse("5") == 5
    assert [shape.show(value) for value in (None, 5)] == ["none", "5"]
    assert shape.words.endswith(", or none")


def test_an_absent_key_is_not_the_word_none() -> None:
    shape = shapes.or_absent(shapes.one_of(Literal["none", "csf"]))
    assert shape.parse(None) is None
    assert shape.parse("none") == "none"
    assert [shape.show(value) for value in (None, "csf")] == ["not given", "csf"]


def test_the_words_of_a_literal_are_the_only_ones_taken() -> None:
    shape = shapes.one_of(Literal["fin", "reset"])
    assert shape.words == "fin or reset"
    assert shape.parse("fin") == "fin"
    with pytest.raises(Misfit):
        shape.parse("rst")


def test_a_pattern_takes_what_it_describes() -> None:
    assert shapes.GLOB.parse("batch-*") == "batch-*"
    for wrong in ("two words", "", 5):
        with pytest.raises(Misfit, match="a user name or pattern"):
            shapes.GLOB.parse(wrong)


def test_one_item_may_stand_without_a_list() -> None:
    globs = TypeAdapter(shapes.Globs)
    assert globs.validate_python("a*") == ("a*",)
    assert globs.validate_python(["a*", "b"]) == ("a*", "b")
    assert globs.dump_python(("a*", "b"), mode="json") == ["a*", "b"]


def test_a_wrong_item_keeps_its_place_in_the_list() -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(shapes.Globs).validate_python(["a*", "b c"])
    assert [error["loc"] for error in caught.value.errors()] == [(1,)]


def test_several_values_are_written_on_one_line() -> None:
    several = shapes.Several(shapes.VERB)
    assert several.show(("CHMOD", "HELP")) == "[CHMOD, HELP]"
    assert several.words == "a verb, or a word that follows SITE, or a list of them"


def test_a_site_word_is_read_in_capitals() -> None:
    assert TypeAdapter(shapes.Verbs).validate_python("chmod") == ("CHMOD",)
    with pytest.raises(ValidationError, match="a word that follows SITE"):
        TypeAdapter(shapes.Verbs).validate_python(["two words"])


@pytest.mark.parametrize("value", ["450", 450])
def test_a_transfer_code_is_a_number(value: object) -> None:
    assert TypeAdapter(shapes.TransferCode).validate_python(value) == 450


@pytest.mark.parametrize("value", ["550", "", ["425"], None, True])
def test_another_transfer_code_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="expected 425, 450 or 421"):
        TypeAdapter(shapes.TransferCode).validate_python(value)


def test_json_shows_a_value_as_the_file_does() -> None:
    assert TypeAdapter(shapes.Duration).dump_python(0.5, mode="json") == "500ms"
    assert TypeAdapter(shapes.RateOrNone).dump_python(None, mode="json") == "none"
