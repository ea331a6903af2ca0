"""The report for the terminal. Correctness first: a fast wrong answer is worth nothing."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from .findings import Finding, Report
from .rows import rows

STYLES = {"good": "green", "bad": "bold red", "plain": ""}
MOST_REASONS = 8


def show(report: Report, console: Console) -> None:
    """Print everything."""
    console.print(_head(report))
    console.print(_table(report))
    for found in report.findings:
        for part in _details(found):
            console.print(part)
    console.print(_verdict(report))


def compare(reports: list[tuple[str, Report]], console: Console) -> None:
    """Print the judged targets of several runs side by side."""
    findings = [(name, found) for name, report in reports for found in report.findings]
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    for name, found in findings:
        table.add_column(f"{escape(name)}\n{found.target}", justify="right")
    _fill(table, [found for _, found in findings])
    console.print(table)


def _head(report: Report) -> RenderableType:
    words = [f"[bold]{escape(report.scenario)}[/]  {escape(report.proves)}"]
    words.append(f"scale: {escape(report.scale)}")
    words.append("  ".join(f"[dim]{key}[/] {it}" for key, it in report.environment.items()))
    return Panel("\n".join(words), title="ftpweir load test", title_align="left")


def _table(report: Report) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    for found in report.findings:
        partial = " (partial)" if found.is_partial else ""
        table.add_column(found.target + partial, justify="right", style="", header_style="bold")
    _fill(table, report.findings)
    return table


def _fill(table: Table, findings: list[Finding]) -> None:
    section = ""
    for row in rows(findings):
        if row.section != section:
            section = row.section
            table.add_row(f"[bold cyan]{section}[/]")
        cells = [
            f"[{STYLES[it.tone]}]{it.text}[/]" if STYLES[it.tone] else it.text for it in row.cells
        ]
        table.add_row(f"  {row.name}", *cells)


def _details(found: Finding) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if found.served.reasons:
        table = Table(box=None, pad_edge=False, title_justify="left")
        table.add_column(f"what scripts heard, {found.target}", header_style="bold cyan")
        table.add_column("times", justify="right")
        for words, times in list(found.served.reasons.items())[:MOST_REASONS]:
            table.add_row(f"  {escape(words)}", f"{times:,}")
        parts.append(table)
    if found.faults:
        told = ", ".join(f"{name} {times:,}" for name, times in found.faults.items())
        parts.append(f"[bold cyan]faults injected, {found.target}[/]: {told}")
    if found.budget is not None and found.budget.first_violation:
        parts.append(
            f"[bold cyan]first violation, {found.target}[/]: {found.budget.first_violation}"
        )
    return parts


def _verdict(report: Report) -> RenderableType:
    if not report.failures:
        return Panel(f"[green]{report.judged} passed[/]", border_style="green")
    lines = Group(*(f"[red]{escape(reason)}[/]" for reason in report.failures))
    return Panel(lines, title="failed", title_align="left", border_style="red")
