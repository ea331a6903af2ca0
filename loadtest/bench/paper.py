"""A run as tables: on the screen, and in docs/BENCHMARKS.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table as Screen

from .aims import AIMS
from .peers import EVERYBODY, FTPWEIR, TWO_WORKERS
from .results import Run, Sample
from .works import WORKS, Unit, Work

BEGIN: Final = "<!-- measured -->"
END: Final = "<!-- /measured -->"
COMPARED: Final = ("direct", "HAProxy", "mod_proxy")


@dataclass(frozen=True, slots=True)
class Table:
    """One table; the first column is text, the others are figures."""

    title: str
    header: list[str]
    rows: list[list[str]] = field(default_factory=list)

    def without_empty_columns(self) -> Table:
        """Leave out what no row has a figure for, such as the ratio to a peer that did not run."""
        columns = list(zip(self.header, *self.rows, strict=True))
        header, *rows = zip(*(it for it in columns if not it[0] or any(it[1:])), strict=True)
        return Table(self.title, list(header), [list(row) for row in rows])


def tables(run: Run) -> Iterator[Table]:
    """Make a table of the aims, and one of each work that was measured."""
    aims = _aims(run)
    if aims.rows:
        yield aims
    for work in WORKS:
        if any(sample.work == work.name for sample in run.samples):
            yield _of_work(run, work)


def show(run: Run, console: Console) -> None:
    """Print everything."""
    for table in tables(run):
        screen = Screen(title=table.title, title_justify="left", box=SIMPLE, padding=(0, 1, 0, 0))
        for number, name in enumerate(table.header):
            screen.add_column(name, justify="right" if number else "left", no_wrap=True)
        for row in table.rows:
            screen.add_row(*row)
        console.print(screen)
    console.print(", ".join(f"{key} {value}" for key, value in run.environment.items()))
    for failure in run.failures:
        console.print(f"[bold red]{failure.words}[/]")


def put_into(document: Path, run: Run) -> None:
    """Replace what stands between the marks of a document."""
    text = document.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    document.write_text(f"{before}{BEGIN}\n\n{_markdown(run)}\n{END}{after}")


def _markdown(run: Run) -> str:
    parts = ["| measured with | |\n|---|---|\n"]
    parts[0] += "".join(f"| {key} | {value} |\n" for key, value in run.environment.items())
    for table in tables(run):
        rule = ["---", *("---:" for _ in table.header[1:])]
        lines = [table.header, rule, *table.rows]
        parts.append(
            f"### {table.title[:1].upper()}{table.title[1:]}\n\n"
            + "".join(f"| {' | '.join(line)} |\n" for line in lines)
        )
    if run.failures:
        told = "".join(f"- {failure.words}\n" for failure in run.failures)
        parts.append(f"### What broke off\n\n{told}")
    return "\n".join(parts)


def _aims(run: Run) -> Table:
    table = Table("aims", ["ftpweir", "wanted", "measured", ""])
    for aim in AIMS:
        if (value := aim.reached(run)) is not None:
            verdict = "met" if aim.is_met(value) else "missed"
            table.rows.append([aim.title, aim.wanted, f"{value:.2f}", verdict])
    return table


def _of_work(run: Run, work: Work) -> Table:
    table = Table(work.title, ["", work.unit.value, *_header(work)])
    for peer in EVERYBODY:
        if samples := run.of(work.name, peer.name):
            figure = _number(median(sample.figure for sample in samples))
            more = _steadiness if work.unit is Unit.STEADY else _comparison
            table.rows.append([peer.name, figure, *more(run, work, samples)])
    return table.without_empty_columns()


def _header(work: Work) -> list[str]:
    if work.unit is Unit.STEADY:
        return ["CPU s/1,000", *(f"{part}." for part in range(1, 11))]
    price = "CPU s/1,000" if work.unit in (Unit.FILES, Unit.LOGINS) else "CPU s/GiB"
    header = ["spread", *(f"/ {name}" for name in _compared(work))]
    header += [price, "server CPU", "scripts CPU"]
    if work.unit is Unit.ANSWER:
        return [*header, "p50", "longest", "GiB/s"]
    return [*header, "least", "median", "most MiB", "pause s"] if _is_crowd(work) else header


def _steadiness(run: Run, work: Work, samples: list[Sample]) -> list[str]:
    last = samples[-1]
    return [_price(samples), *(_number(rate) for rate in last.deciles)]


def _comparison(run: Run, work: Work, samples: list[Sample]) -> list[str]:
    peer, last = samples[0].peer, samples[-1]
    row = [_spread([sample.figure for sample in samples])]
    for other in _compared(work):
        ratio = run.ratio(work.name, peer, other) if other != peer else None
        row.append("" if ratio is None else f"{ratio:.2f}")
    row.append(_price(samples))
    # As a share of one processor.
    row.append(f"{median(sample.toll.server / sample.seconds for sample in samples):.2f}")
    row.append(f"{median(sample.toll.scripts / sample.seconds for sample in samples):.2f}")
    if work.unit is Unit.ANSWER:
        row += [_number(last.answers[0] * 1000), _number(last.answers[2] * 1000)]
        row.append(_number(last.moved / last.seconds / 2**30))
    elif _is_crowd(work):
        row += [*(f"{share / 2**20:.0f}" for share in last.shares), f"{last.pause:.2f}"]
    return row


def _compared(work: Work) -> list[str]:
    """Name those with whom everybody is compared."""
    return [*COMPARED, FTPWEIR.name] if TWO_WORKERS in work.peers else list(COMPARED)


def _is_crowd(work: Work) -> bool:
    """So many at once that it matters what each of them gets."""
    return len(work.deeds) > 100


def _price(samples: list[Sample]) -> str:
    price = median(sample.price for sample in samples)
    return _number(price) if price else ""


def _number(value: float) -> str:
    """Write three digits that matter."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _spread(figures: list[float]) -> str:
    """Write the lowest and the highest of several."""
    return f"{_number(min(figures))}-{_number(max(figures))}" if len(figures) > 1 else ""
