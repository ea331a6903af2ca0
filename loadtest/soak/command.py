"""`python -m loadtest soak`: everything at once for as long as you like, and does anything grow?

Exit codes: 0 no level rises and the scripts were served, 1 otherwise.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from string import Template
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from loadtest.conduct import Conductor, Plan
from loadtest.live import Live
from loadtest.reading import parse_scenario
from loadtest.report.findings import Finding
from loadtest.report.judge import failures
from loadtest.report.measure import finding
from proxy import __version__
from proxy.machine import raise_descriptor_limit

from .findings import Soak, as_json, findings
from .levels import Watch
from .picture import draw
from .trend import TooFew

SCENARIO: Final = Path(__file__).with_name("soak.yaml")
GRACE: Final = 60  # seconds in which scripts that still run may end
FILE = click.Path(dir_okay=False, path_type=Path)


class BrokenOff(Exception):
    """The run ended before there was anything to judge; the message says why."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run has shown: the levels, and how the scripts were served."""

    soak: Soak
    served: Finding
    failures: list[str]


@click.command("soak")
@click.option("--seconds", default=600, show_default=True, type=click.IntRange(10))
@click.option("--warm-up", type=click.IntRange(1), help="Seconds not judged; a quarter of all.")
@click.option("--json", "json_file", type=FILE, help="Write samples and lines for machines.")
@click.option("--svg", "svg_file", type=FILE, help="Write the levels as a picture.")
def soak(seconds: int, warm_up: int | None, json_file: Path | None, svg_file: Path | None) -> None:
    """Work at full load before vsftpd and tell whether anything grows. As root; ten minutes."""
    raise_descriptor_limit()
    try:
        outcome = asyncio.run(run(seconds, warm_up or seconds / 4))
    except BrokenOff as problem:
        raise click.ClickException(str(problem)) from problem
    if json_file is not None:
        told = as_json(outcome.soak, _environment(outcome))
        json_file.write_text(json.dumps(told) + "\n")
    if svg_file is not None:
        svg_file.write_text(draw(outcome.soak, _title(outcome)))
    _show(outcome)
    sys.exit(1 if outcome.failures else 0)


async def run(
    seconds: float, warm_up: float, *, every: float = 1.0, module: str = "proxy"
) -> Outcome:
    """Run the scenario for so long, with `module` as ftpweir; raise BrokenOff."""
    text = Template(SCENARIO.read_text()).substitute(seconds=seconds, limit=seconds + GRACE)
    scenario = parse_scenario(text, SCENARIO.name)
    watch = Watch(every, until=seconds)
    plan = Plan(scenario, text, module, watch)
    with Live(Console(stderr=True), None) as live:
        [sighting] = await Conductor(plan, live.tell).run()
    try:
        found = findings(watch.samples, warm_up)
    except TooFew as few:
        raise BrokenOff("; ".join([str(few), *sighting.notes])) from few
    served = finding(scenario, sighting)
    asked = [scenario.fail_if] if scenario.fail_if else []
    wrong = failures([served], scenario.judged, asked)
    return Outcome(found, served, [*wrong, *(f"{name} rises" for name in found.rising)])


def _title(outcome: Outcome) -> str:
    served = outcome.served
    verdict = ", ".join(f"{name} rises" for name in outcome.soak.rising) or "no level rises"
    minutes = round(served.seconds / 60)
    lasted = f"{minutes} minutes" if minutes > 1 else f"{served.seconds:.0f} s"
    return f"{lasted} at full load, {served.served.done:,} files: {verdict}"


def _show(outcome: Outcome) -> None:
    table = Table(title=_title(outcome), title_justify="left")
    for column in ("level", "begins", "ends", "noise", "an hour"):
        table.add_column(column)
    for held in outcome.soak.held:
        line, told = held.trend, held.level.told
        figures = (told(it) for it in (line.begins, line.ends, line.noise))
        table.add_row(held.level.title, *figures, held.words, style="red" if held.rises else "")
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    for failure in outcome.failures:
        console.print(f"[red]failed[/]: {failure}", highlight=False)


def _environment(outcome: Outcome) -> dict[str, str]:
    served = outcome.served.served
    return {
        "ftpweir": __version__,
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{os.cpu_count()} CPUs, {platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "files": f"{served.done} of {served.planned}",
    }
