"""The report, for people and for programs."""

from __future__ import annotations

import io

from rich.console import Console

from proxy.ops.doctor.causes import CAUSES
from proxy.ops.doctor.examination import Step
from proxy.ops.doctor.finding import Finding
from proxy.ops.doctor.report import Report, progress

STEPS = (Step("resolve", "10.0.0.1", True), Step("machine", "fine"), Step("connect", "no", False))
BAD = Finding(CAUSES["refused"], "10.0.0.1:2222: refused")
NOTE = Finding(CAUSES["proxy_absent"], "127.0.0.1:2121 is free")


def shown(report: Report) -> str:
    console = Console(file=io.StringIO(), width=100)
    console.print(report.as_text())
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_person_reads_cause_evidence_and_remedy_in_order() -> None:
    text = shown(Report("ftp:2222", (BAD, NOTE), STEPS, 2))
    assert "1. PROBLEM (routing or firewall, refused)" in text
    assert "2. NOTE (ftpweir itself, proxy_absent)" in text
    for word in ("cause", "evidence", "remedy"):
        assert text.count(word) == 2
    assert "Connections used: 2." in text
    assert "No problem" not in text


def test_health_is_told_too() -> None:
    report = Report("ftp:21", (NOTE,), STEPS, 4)
    assert not report.has_problem
    assert "No problem was found." in shown(report)


def test_a_program_reads_the_same() -> None:
    told = Report("ftp:2222", (BAD,), STEPS, 2).as_json()
    assert told == {
        "server": "ftp:2222",
        "healthy": False,
        "findings": [BAD.as_json()],
        "steps": [
            {"name": "resolve", "good": True, "words": "10.0.0.1"},
            {"name": "machine", "good": None, "words": "fine"},
            {"name": "connect", "good": False, "words": "no"},
        ],
        "connections": 2,
    }


def test_words_of_a_server_are_shown_as_they_are() -> None:
    console = Console(file=io.StringIO(), width=80)
    for step in (*STEPS, Step("greeting", "220 [bold]welcome[/bold]")):
        console.print(progress(step))
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert [line[0] for line in lines] == ["+", " ", "!", " "]
    assert "[bold]welcome[/bold]" in lines[3]
