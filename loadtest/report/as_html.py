"""The report as one page: no other file, no network, light and dark, plots under the mouse."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from string import Template

from . import plots
from .findings import Finding, Report
from .plots import Series
from .rows import PHASES, Cell, rows

HERE = Path(__file__).parent
MOST_REASONS = 10


def write(report: Report, path: Path) -> None:
    """Write the page, whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(page(report))
    fresh.replace(path)


def page(report: Report) -> str:
    """Return the page."""
    return Template((HERE / "page.html").read_text()).substitute(
        title=escape(report.scenario),
        proves=escape(report.proves),
        scale=escape(report.scale),
        verdict=_verdict(report),
        tiles=_tiles(report),
        legend=_legend(report.findings),
        plots=_plots(report),
        table=_table(report.findings),
        details="".join(map(_details, report.findings)),
        environment=_environment(report),
        data=_data(report.findings),
    )


def _verdict(report: Report) -> str:
    if not report.failures:
        return f'<p class="verdict good"><b>Passed.</b> {escape(report.judged)} kept its word.</p>'
    items = "".join(f"<li>{escape(reason)}</li>" for reason in report.failures)
    return f'<div class="verdict bad"><b>Failed.</b><ul>{items}</ul></div>'


def _tiles(report: Report) -> str:
    """Show the five numbers that matter most, each beside the baseline's."""
    wanted = ("success", "violations", "connections, most / limit", "achieved, files/s")
    table = {row.name: row for row in rows(report.findings)}
    judged = [found.target for found in report.findings].index(report.judged)
    tiles = ""
    for name in (*wanted, "whole file"):
        if name in table:
            cells = table[name].cells
            beside = "".join(
                f"<span>{escape(found.target)}: {escape(_short(name, cell))}</span>"
                for found, cell in zip(report.findings, cells, strict=True)
                if found.target != report.judged
            )
            shown = cells[judged]
            tiles += (
                f'<div class="tile"><h3>{escape(_tile_name(name))}</h3>'
                f'<p class="{shown.tone}">{escape(_short(name, shown))}</p>{beside}</div>'
            )
    return tiles


def _tile_name(name: str) -> str:
    return "a file takes, p95" if name == "whole file" else name


def _short(name: str, cell: Cell) -> str:
    parts = cell.text.split(" / ")
    return parts[1] if name == "whole file" and len(parts) > 1 else cell.text


def _legend(findings: list[Finding]) -> str:
    return "".join(
        f'<span><i class="key tint-{at}"></i>{escape(found.target)}'
        f"{' (partial)' if found.is_partial else ''}</span>"
        for at, found in enumerate(findings)
    )


def _plots(report: Report) -> str:
    findings = report.findings
    limits = [found.budget.limit for found in findings if found.budget and found.budget.limit]
    counted = [Series(f.target, at, f.counted) for at, f in enumerate(findings) if f.counted]
    pace = [Series(f.target, at, f.pace) for at, f in enumerate(findings)]
    figures = [
        _figure(
            "Connections the firewall counts",
            "open and closed ones within the hold, as seen at the server",
            plots.over_time("connections", counted, "s", limits[0] if limits else None),
            "counted",
        ),
        _figure(
            "Files a minute",
            "done, over the time of the run; a dot is where a run ended",
            plots.over_time("files a minute", pace, "s"),
            "pace",
        ),
        _latency(findings),
        _shares(findings),
    ]
    return "".join(figures)


def _figure(title: str, told: str, plot: str, series: str = "") -> str:
    if not plot:
        return ""
    named = f' data-series="{series}"' if series else ""
    return (
        f"<figure{named}><figcaption><b>{escape(title)}</b><span>{escape(told)}</span></figcaption>"
        f"{plot}</figure>"
    )


def _latency(findings: list[Finding]) -> str:
    pages = ""
    options = ""
    for phase in reversed(PHASES):
        series = [
            Series(found.target, at, found.phases[phase].spectrum)
            for at, found in enumerate(findings)
            if phase in found.phases
        ]
        plot = plots.spectrum(f"latency of {PHASES[phase]}", series)
        if plot:
            hidden = " hidden" if pages else ""
            pages += f'<div data-phase="{phase}"{hidden}>{plot}</div>'
            options += f'<option value="{phase}">{escape(PHASES[phase])}</option>'
    if not pages:
        return ""
    return (
        "<figure><figcaption><b>Latency, of files that were done</b>"
        f'<select id="phase" aria-label="phase">{options}</select></figcaption>{pages}</figure>'
    )


def _shares(findings: list[Finding]) -> str:
    bars = "".join(
        f'<h4><i class="key tint-{at}"></i>{escape(found.target)}</h4>'
        + plots.shares(f"shares of {found.target}", found.shares, at)
        for at, found in enumerate(findings)
        if found.shares
    )
    if not bars:
        return ""
    told = "files done of files wanted, one bar a source, worst first"
    return _figure("What each source got", told, bars)


def _table(findings: list[Finding]) -> str:
    head = "".join(f"<th>{escape(found.target)}</th>" for found in findings)
    body = ""
    section = ""
    for row in rows(findings):
        if row.section != section:
            section = row.section
            wide = len(findings) + 1
            body += f'<tr class="section"><th colspan="{wide}">{escape(section)}</th></tr>'
        cells = "".join(f'<td class="{it.tone}">{escape(it.text)}</td>' for it in row.cells)
        body += f"<tr><th>{escape(row.name)}</th>{cells}</tr>"
    return f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>"


def _details(found: Finding) -> str:
    parts = ""
    reasons = list(found.served.reasons.items())[:MOST_REASONS]
    if reasons:
        lines = "".join(
            f"<tr><td>{escape(told)}</td><td>{times:,}</td></tr>" for told, times in reasons
        )
        parts += f'<table class="reasons"><tbody>{lines}</tbody></table>'
    if found.budget is not None and found.budget.first_violation:
        parts += f"<p>First violation: {escape(found.budget.first_violation)}.</p>"
    if found.faults:
        told = ", ".join(f"{name} {times:,}" for name, times in found.faults.items())
        parts += f"<p>Faults injected: {escape(told)}.</p>"
    if not parts:
        return ""
    return f"<section><h2>What scripts heard, {escape(found.target)}</h2>{parts}</section>"


def _environment(report: Report) -> str:
    return "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(it)}</dd></div>"
        for name, it in report.environment.items()
    )


def _data(findings: list[Finding]) -> str:
    data = {
        "names": [found.target for found in findings],
        "counted": [found.counted for found in findings],
        "pace": [found.pace for found in findings],
    }
    # Inside a script element, only "</" could end it early.
    return json.dumps(data, separators=(",", ":")).replace("</", "<\\/")
