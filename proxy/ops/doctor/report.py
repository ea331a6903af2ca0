"""How the doctor's findings are told: to people with room to breathe, to programs as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from .examination import Step
from .finding import Finding, Weight

_STYLES = {Weight.PROBLEM: "bold red", Weight.WARNING: "bold yellow", Weight.NOTE: "bold"}
_MARKS = {True: ("+", "green"), False: ("!", "red"), None: (" ", "")}


@dataclass(frozen=True, slots=True)
class Report:
    """One finished examination."""

    server: str
    findings: tuple[Finding, ...]
    steps: tuple[Step, ...]
    connections: int

    @property
    def has_problem(self) -> bool:
        """Tell whether something that is configured does not work."""
        return any(one.cause.weight is Weight.PROBLEM for one in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Return what --json prints; docs/OPERATIONS.md promises these keys."""
        return {
            "server": self.server,
            "healthy": not self.has_problem,
            "findings": [one.as_json() for one in self.findings],
            "steps": [
                {"name": one.name, "good": one.is_good, "words": one.words} for one in self.steps
            ],
            "connections": self.connections,
        }

    def as_text(self) -> Group:
        """Return what a terminal shows below the progress."""
        parts: list[RenderableType] = [Text()]
        if not self.has_problem:
            parts.append(Text("No problem was found.", style="bold green"))
        for number, one in enumerate(self.findings, 1):
            parts += [_heading(number, one), Padding(_body(one), (0, 0, 1, 3))]
        parts.append(Text(_cost(self.connections), style="dim"))
        return Group(*parts)


def progress(step: Step) -> Table:
    """Return the line that tells of a step as it ends."""
    mark, style = _MARKS[step.is_good]
    line = Table.grid(padding=(0, 1))
    line.add_column(width=1)
    line.add_column(width=9)
    line.add_column()
    line.add_row(Text(mark, style=style), Text(step.name, style="bold"), Text(step.words))
    return line


def _heading(number: int, one: Finding) -> Text:
    told = Text(f"{number}. ")
    told.append(one.cause.weight.name, style=_STYLES[one.cause.weight])
    return told.append(f" ({one.cause.area.value}, {one.cause.code})")


def _body(one: Finding) -> Table:
    body = Table.grid(padding=(0, 1))
    body.add_column(style="dim")
    body.add_column()
    rows: Iterable[tuple[str, str]] = (
        ("cause", one.cause.sentence),
        ("evidence", one.evidence),
        ("remedy", one.cause.remedy),
    )
    for name, words in rows:
        body.add_row(name, Text(words))
    return body


def _cost(connections: int) -> str:
    return (
        f"Connections used: {connections}. The firewall counts them like any other; "
        "a running ftpweir does not know of them."
    )
