"""The report for the terminal shows what matters, and takes no word for markup."""

from __future__ import annotations

from rich.console import Console

from loadtest.report import as_text
from loadtest.report.findings import Report

from ..examples import report


def shown(it: Report) -> str:
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        as_text.show(it, console)
    return console.export_text()


def test_correctness_comes_first_and_the_verdict_last() -> None:
    text = shown(report())
    assert text.index("files with wrong bytes") < text.index("violations") < text.index("success")
    assert "ftpweir passed" in text.splitlines()[-2]


def test_a_failure_is_told_with_its_reason() -> None:
    assert "the limit was exceeded 2 times" in shown(report(violations=2))


def test_what_scripts_heard_is_shown_as_it_was() -> None:
    assert "421 <Too> many" in shown(report())


def test_several_reports_stand_side_by_side() -> None:
    with open("/dev/null", "w") as nowhere:
        console = Console(width=160, record=True, file=nowhere)
        as_text.compare([("before", report(failed=1)), ("after", report())], console)
    text = console.export_text()
    assert "before" in text
    assert "after" in text
    assert "15 / 18" in text
