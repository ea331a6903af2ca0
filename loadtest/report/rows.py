"""The lines of a report's table, in the order in which they matter: name, then one cell per target.

The text in the terminal and the page both show these. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from .. import words
from .findings import Finding

Tone = Literal["good", "bad", "plain"]
PHASES = {
    "connect": "connect",
    "login": "login",
    "open": "open data",
    "queue": "queue (to 150)",
    "first_byte": "first byte",
    "data": "data",
    "final": "final reply",
    "total": "whole file",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one place of the table."""

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Row:
    """One line; `section` is the heading it stands under."""

    section: str
    name: str
    cells: list[Cell]


def rows(findings: list[Finding]) -> list[Row]:
    """Return the whole table."""
    table: list[Row] = []

    def add(section: str, name: str, cell: Callable[[Finding], Cell]) -> None:
        cells = [cell(found) for found in findings]
        if any(it.text != "-" for it in cells):
            table.append(Row(section, name, cells))

    add("Correctness", "files with wrong bytes", lambda f: _none(len(f.correctness.corrupt)))
    add("Correctness", "strangers' replies", lambda f: _none(len(f.correctness.strangers)))
    add("Correctness", "bytes, client / server", _bytes)
    add("Limits, as the server saw them", "connections, most / limit", _most)
    add("Limits, as the server saw them", "violations", _violations)
    add("Limits, as the server saw them", "sessions, most / limit", _sessions)
    add("Limits, as the server saw them", "connections in all", _opened)
    add("Service", "done / planned", _done)
    add("Service", "success", _success)
    add("Service", "time taken", lambda f: Cell(words.seconds(f.seconds)))
    add("Service", "offered, scripts/s", lambda f: Cell(words.number(f.served.offered)))
    add("Service", "achieved, files/s", lambda f: Cell(words.number(f.served.achieved)))
    add("Service", "throughput", lambda f: Cell(words.size(f.served.bytes_per_second) + "/s"))
    add("Service", "start lag, mean / max", _lag)
    add("Service", "starts skipped", lambda f: Cell(words.number(f.served.skipped)))
    add("Service", "so many files would take", _extrapolated)
    for phase, name in PHASES.items():
        add("Latency: p50 / p95 / p99", name, partial(_phase, phase))
    _add_groups(findings, add)
    add("Fairness", "Jain, files served", _jain)
    add("Fairness", "Jain, while contended", _contended)
    add("Fairness", "p95 worst / best source", _tails)
    add("Cost of the proxy", "CPU s / 1,000 files", _cpu)
    add("Cost of the proxy", "memory at most", _memory)
    add("Cost of the proxy", "loop lag p50 / p99 / max", _loop_lag)
    return table


def _add_groups(
    findings: list[Finding], add: Callable[[str, str, Callable[[Finding], Cell]], None]
) -> None:
    names = dict.fromkeys(name for found in findings for name in found.groups)
    if len(names) < 2:
        return
    for name in names:
        add("Groups: done / planned, p50 / p95", name, partial(_group, name))


def _none(count: int) -> Cell:
    return Cell(words.number(count), "bad" if count else "good")


def _bytes(found: Finding) -> Cell:
    server = found.correctness.server_bytes
    ours = words.size(found.correctness.client_bytes)
    return Cell(ours if server is None else f"{ours} / {words.size(server)}")


def _most(found: Finding) -> Cell:
    budget = found.budget
    if budget is None:
        return Cell("-")
    if budget.limit is None:
        return Cell(words.number(budget.most))
    tone: Tone = "bad" if budget.most > budget.limit else "good"
    return Cell(f"{words.number(budget.most)} / {words.number(budget.limit)}", tone)


def _violations(found: Finding) -> Cell:
    budget = found.budget
    if budget is None or budget.limit is None:
        return Cell("-")
    banned = ", then banned" if budget.banned else ""
    return Cell(words.number(budget.violations) + banned, "bad" if budget.violations else "good")


def _sessions(found: Finding) -> Cell:
    budget = found.budget
    if budget is None:
        return Cell("-")
    refused = f", {words.number(budget.refused_sessions)} refused"
    limit = "-" if budget.sessions_limit is None else words.number(budget.sessions_limit)
    told = f"{words.number(budget.sessions_most)} / {limit}"
    return Cell(told + (refused if budget.refused_sessions else ""))


def _opened(found: Finding) -> Cell:
    return Cell(words.number(found.budget.opened) if found.budget else "-")


def _done(found: Finding) -> Cell:
    return Cell(f"{words.number(found.served.done)} / {words.number(found.served.planned)}")


def _success(found: Finding) -> Cell:
    success = found.served.success
    tone: Tone = "good" if success == 1 else "bad" if success < 0.9 else "plain"
    return Cell(words.share(success), tone)


def _lag(found: Finding) -> Cell:
    return Cell(f"{words.seconds(found.served.lag_mean)} / {words.seconds(found.served.lag_most)}")


def _extrapolated(found: Finding) -> Cell:
    hours = found.extrapolated_hours
    return Cell("-" if hours is None else words.seconds(hours * 3600))


def _phase(name: str, found: Finding) -> Cell:
    phase = found.phases.get(name)
    if phase is None:
        return Cell("-")
    shown = (phase.p50, phase.p95, phase.p99)
    return Cell(" / ".join(map(words.seconds, shown)))


def _group(name: str, found: Finding) -> Cell:
    group = found.groups.get(name)
    if group is None:
        return Cell("-")
    told = f"{words.number(group.done)} / {words.number(group.planned)}"
    if group.total is not None:
        told += f", {words.seconds(group.total.p50)} / {words.seconds(group.total.p95)}"
    return Cell(told, "good" if group.done == group.planned else "plain")


def _jain(found: Finding) -> Cell:
    return Cell("-" if found.fairness is None else f"{found.fairness.jain:.3f}")


def _contended(found: Finding) -> Cell:
    fairness = found.fairness
    if fairness is None or fairness.jain_contended is None:
        return Cell("-")
    return Cell(f"{fairness.jain_contended:.3f}")


def _tails(found: Finding) -> Cell:
    fairness = found.fairness
    if fairness is None or not fairness.worst_p95:
        return Cell("-")
    return Cell(f"{words.seconds(fairness.worst_p95)} / {words.seconds(fairness.best_p95)}")


def _cpu(found: Finding) -> Cell:
    return Cell("-" if found.proxy is None else f"{found.proxy.cpu_per_1000:.2f}")


def _memory(found: Finding) -> Cell:
    return Cell("-" if found.proxy is None else words.size(found.proxy.memory_most))


def _loop_lag(found: Finding) -> Cell:
    proxy = found.proxy
    if proxy is None or not proxy.lag_most:
        return Cell("-")
    return Cell(" / ".join(map(words.seconds, (proxy.lag_p50, proxy.lag_p99, proxy.lag_most))))
