"""How values are declared that every command makes, and those that it looks up in tables.

What Python offers for both costs calls that are no work: `@dataclass(frozen=True)` one for each
field of each value made, `Enum` one for each look into a table. Here the type checker sees to the
former (docs/decisions/035), and members are told apart by being what they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(kind: type[T]) -> type[T]:
    """Make a dataclass with slots, equal to what has the same fields, and fit to be a key."""
    return dataclass(slots=True, unsafe_hash=True)(kind)


class Keyed(Enum):
    """An Enum whose members are the keys of tables."""

    __hash__ = object.__hash__  # that of Enum is written in Python, and hashes the name
