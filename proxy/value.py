"""How a value is declared that every command makes: a dataclass that nobody changes.

`@dataclass(frozen=True)` has the interpreter see to that, which costs a call for each field of each
value made: one in twenty instructions of a small file. Here the type checker alone sees to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(kind: type[T]) -> type[T]:
    """Make a dataclass with slots, equal to what has the same fields, and fit to be a key."""
    return dataclass(slots=True, unsafe_hash=True)(kind)
