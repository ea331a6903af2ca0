"""The rule of every section."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from proxy.config.section import Section


class Pond(Section):
    """A section for these tests."""

    depth: int = 3


def test_a_section_cannot_be_changed() -> None:
    pond = Pond()
    with pytest.raises(ValidationError, match="frozen"):
        pond.depth = 4


def test_a_section_refuses_a_key_it_does_not_know() -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        Pond.model_validate({"width": 1})


def test_equal_sections_are_equal_values() -> None:
    assert Pond(depth=2) == Pond(depth=2)
    assert hash(Pond(depth=2)) == hash(Pond(depth=2))
