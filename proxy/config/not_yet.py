"""Keys of the contract whose function is still to come. A row is deleted when its function works.

Never ignores such a key silently: it is a problem with its place, like any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .document import Document, walk
from .problem import Path, Problem, dotted


@dataclass(frozen=True, slots=True)
class NotYet:
    """What to say, and the values that wait. No values: all wait, but for `none` and `[]`."""

    reason: str
    waiting: frozenset[str] = frozenset()

    def holds(self, value: object) -> bool:
        """Tell whether this value asks for what does not work yet."""
        if self.waiting:
            return isinstance(value, str) and value in self.waiting
        return value not in ("none", [])


def _values(*waiting: str, reason: str) -> NotYet:
    return NotYet(reason, frozenset(waiting))


HEALING = "resuming broken uploads comes with a later version: use off"

NOT_YET: Mapping[str, NotYet] = MappingProxyType(
    {
        "heal.uploads": _values("on", reason=HEALING),
    }
)


def hold_back(document: Document) -> Iterator[Problem]:
    """Report what waits, and take it out of the document, so that it is reported once."""
    for path, value in list(walk(document.data)):
        row = NOT_YET.get(dotted(path))
        if row is not None and not _is_item(path) and row.holds(value):
            document.drop(path)
            yield document.problem(path, f"not yet: {row.reason}")


def _is_item(path: Path) -> bool:
    return isinstance(path[-1], int)
