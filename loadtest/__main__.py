"""The command line: run a scenario, list the shipped ones, show and compare reports, benchmark.

Exit codes: 0 passed, 1 failed, 2 bad usage or a bad scenario, 130 interrupted (with a report).
"""

from __future__ import annotations

import asyncio
import os
import platform
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from proxy import __version__
from proxy.config import ConfigError
from proxy.machine import raise_descriptor_limit

from .bench.command import bench
from .conduct import Conductor, Plan
from .live import Live
from .reading import find, read_scenario, shipped
from .report import as_html, as_json, as_text
from .report.as_json import BadReport
from .report.fail_if import BadExpression, parse_expression
from .report.findings import Report
from .report.judge import failures
from .report.measure import finding
from .scenario import Scenario
from .sighting import Sighting
from .simulation.command import simulate
from .soak.command import soak

INTERRUPTED = 130
FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """See what your scripts will meet, without and with ftpweir, before production does."""


main.add_command(bench)
main.add_command(simulate)
main.add_command(soak)


@main.command()
@click.argument("scenario")
@click.option("--json", "json_file", type=FILE, help="Write the report for machines.")
@click.option("--html", "html_file", type=FILE, help="Write the report as one page.")
@click.option("--fail-if", "expressions", multiple=True, help='Such as "p95_queue>30s".')
def run(
    scenario: str, json_file: Path | None, html_file: Path | None, expressions: tuple[str, ...]
) -> None:
    """Run SCENARIO: a YAML file, or the name of a shipped one."""
    for expression in expressions:
        try:
            parse_expression(expression)
        except BadExpression as error:
            raise click.BadParameter(str(error), param_hint="--fail-if") from error
    for file in (json_file, html_file):
        if file is not None and not file.absolute().parent.is_dir():
            raise click.BadParameter(f"there is no directory for {file}")
    plan = _plan(find(scenario))
    raise_descriptor_limit()
    sightings, interrupted = asyncio.run(_run(plan))
    report = make_report(plan.scenario, sightings, list(expressions))
    as_text.show(report, console())
    if json_file is not None:
        as_json.write(report, json_file)
    if html_file is not None:
        as_html.write(report, html_file)
    sys.exit(INTERRUPTED if interrupted else int(bool(report.failures)))


@main.command("list")
def list_scenarios() -> None:
    """List the shipped scenarios and what each proves."""
    out = console()
    for path in shipped():
        scenario = read_scenario(path)
        out.print(f"[bold]{scenario.name}[/]  {scenario.proves}", highlight=False)


@main.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
def report(files: tuple[Path, ...]) -> None:
    """Show the report in a JSON file; of several, compare them side by side."""
    try:
        reports = [as_json.read(path) for path in files]
    except BadReport as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    if len(reports) == 1:
        as_text.show(reports[0], console())
    else:
        named = [(path.stem, it) for path, it in zip(files, reports, strict=True)]
        as_text.compare(named, console())


def console() -> Console:
    """Return where reports go; in a file or a pipe, lines may be longer than a screen's."""
    return Console() if sys.stdout.isatty() else Console(width=120)


def make_report(scenario: Scenario, sightings: list[Sighting], expressions: list[str]) -> Report:
    """Draw all conclusions."""
    findings = [finding(scenario, sighting) for sighting in sightings]
    asked = expressions + ([scenario.fail_if] if scenario.fail_if else [])
    return Report(
        scenario=scenario.name,
        proves=scenario.proves,
        scale=scenario.scale,
        judged=scenario.judged,
        environment=_environment(scenario),
        findings=findings,
        failures=failures(findings, scenario.judged, asked),
    )


def _plan(path: Path) -> Plan:
    try:
        scenario = read_scenario(path)
        return Plan(scenario, path.read_text("utf-8-sig"))
    except ConfigError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        sys.exit(2)


async def _run(plan: Plan) -> tuple[list[Sighting], bool]:
    """Return what was seen, and whether somebody pressed ^C meanwhile."""
    interrupted = False
    with Live(Console(stderr=True), plan.scenario.firewall.connections) as live:
        conductor = Conductor(plan, live.tell)

        def interrupt() -> None:
            nonlocal interrupted
            interrupted = True
            conductor.cut()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, interrupt)
        sightings = await conductor.run()
    return sightings, interrupted


def _environment(scenario: Scenario) -> dict[str, str]:
    load = scenario.load
    model = f"{load.model} loop" + (f", {load.arrivals}" if load.model == "open" else "")
    return {
        "ftpweir": __version__,
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{os.cpu_count()} CPUs, {platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "server": str(scenario.server.kind),
        "load": model,
        "processes": str(load.processes),
        "seed": str(load.seed),
        "warm-up": "none",
    }


if __name__ == "__main__":
    main()
