"""A run as tables."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from loadtest.bench import paper
from loadtest.bench.results import Failure
from loadtest.bench.works import Unit

from .examples import a_run, small

RUN = a_run(small("direct", 0, 10_000), small("ftpweir", 0, 4_000), small("ftpweir", 1, 6_000))


def test_only_what_was_measured_has_a_table() -> None:
    (table,) = paper.tables(RUN)
    assert table.header[:2] == ["", Unit.FILES.value]
    assert [row[0] for row in table.rows] == ["direct", "ftpweir"]
    assert {len(row) for row in table.rows} == {len(table.header)}


def test_a_row_tells_median_spread_and_ratio() -> None:
    (table,) = paper.tables(RUN)
    row = dict(zip(table.header, table.rows[1], strict=True))
    assert (row["files/s"], row["spread"]) == ("2,500", "2,000-3,000")
    assert (row["/ direct"], row["CPU s/1,000"]) == ("0.40", "0.10")


def test_who_did_not_run_is_compared_with_nobody() -> None:
    (table,) = paper.tables(RUN)
    assert [name for name in table.header if name.startswith("/")] == ["/ direct"]
    (alone,) = paper.tables(a_run(small("ftpweir", 0, 4_000)))
    assert not {name for name in alone.header if name.startswith("/") or name == "spread"}


def test_two_workers_are_compared_with_one_process() -> None:
    work = "tls-scripts-logins"
    run = a_run(small("ftpweir", 0, 300, work=work), small("2 workers", 0, 450, work=work))
    (table,) = paper.tables(run)
    rows = [dict(zip(table.header, row, strict=True)) for row in table.rows]
    assert [row["/ ftpweir"] for row in rows] == ["", "1.50"]


def test_only_what_stands_between_the_marks_is_replaced(tmp_path: Path) -> None:
    document = tmp_path / "BENCHMARKS.md"
    document.write_text(f"before\n{paper.BEGIN}\nold\n{paper.END}\nafter\n")
    paper.put_into(document, RUN)
    text = document.read_text()
    assert text.startswith(f"before\n{paper.BEGIN}\n")
    assert text.endswith(f"{paper.END}\nafter\n")
    assert "old" not in text
    assert "| ftpweir | 2,500 | 2,000-3,000 | 0.40 |" in text
    paper.put_into(document, RUN)
    assert document.read_text() == text


def test_failures_are_shown_with_the_figures(tmp_path: Path) -> None:
    failed = a_run(small("direct", 0, 1))
    failed.failures.append(Failure("direct", "RETR small.bin: wrong bytes"))
    console = Console(width=150, record=True)
    paper.show(failed, console)
    assert "RETR small.bin: wrong bytes" in console.export_text()
    document = tmp_path / "BENCHMARKS.md"
    document.write_text(f"{paper.BEGIN}\n{paper.END}\n")
    paper.put_into(document, failed)
    assert "- RETR small.bin: wrong bytes\n" in document.read_text()
