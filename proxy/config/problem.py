"""What is wrong with a configuration, and where. Never decides whether the proxy may start."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
Severity: TypeAlias = Literal["error", "warning"]


def dotted(path: Path) -> str:
    """Name a place as `ftpweir explain` does; which item of a list it is, the line tells."""
    return ".".join(part for part in path if isinstance(part, str))


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in the text; both count from 1. Line 0 means no place: the file as a whole."""

    line: int
    column: int


NOWHERE = Mark(0, 0)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to correct; only severity `error` keeps a configuration from being used."""

    file: str
    line: int
    column: int
    key: str
    message: str
    hint: str | None = None
    severity: Severity = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        parts = [place]
        if self.severity == "warning":
            parts.append("warning")
        if self.key:
            parts.append(self.key)
        asked = f" (did you mean {self.hint}?)" if self.hint else ""
        return ": ".join([*parts, self.message]) + asked


class ConfigError(Exception):
    """A configuration that cannot be used; carries every problem found, in line order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = in_line_order(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def in_line_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Sort by place and drop repetitions: an alias shows its problems once per use."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda found: (found.line, found.column)))
