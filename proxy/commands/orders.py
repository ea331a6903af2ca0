"""`ftpweir reload` and `ftpweir drain`: orders to a running proxy, over its status address."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from proxy.ops.ask import NoAnswer

from .options import CONFIG_OPTION, STATUS_OPTION, place_of


@click.command(short_help="Have a running proxy read its file anew.")
@CONFIG_OPTION
@STATUS_OPTION
def reload(path: Path | None, at: str | None) -> None:
    """Have it read its file anew; exit 0 if it goes on by it, 1 if nothing has changed."""
    done, told = _order("reload", path, at)
    for problem in told.get("problems", ()):
        click.echo(problem, err=True)
    if not done:
        sys.exit(1)
    for warning in told["warnings"]:
        click.echo(warning)
    click.echo("reloaded: " + (", ".join(told["changed"]) or "nothing differs"))


@click.command(short_help="Have a running proxy end after its transfers.")
@CONFIG_OPTION
@STATUS_OPTION
def drain(path: Path | None, at: str | None) -> None:
    """Have it let nobody in, end its transfers, and end: what SIGTERM does."""
    _order("drain", path, at)
    click.echo("draining")


def _order(name: str, path: Path | None, at: str | None) -> tuple[bool, dict[str, Any]]:
    try:
        return place_of(path, at).order(name)
    except NoAnswer as problem:
        click.echo(str(problem), err=True)
        sys.exit(1)
