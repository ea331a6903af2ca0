"""`ftpweir show` and `ftpweir top`: what a running proxy tells of itself, in the terminal."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path

import click
from rich.console import Console

from proxy.ops.ask import NoAnswer
from proxy.ops.tables import SECTIONS
from proxy.ops.top import follow

from .options import CONFIG_OPTION, STATUS_OPTION, place_of

WIDE = 250  # columns, where nobody looks: a pipe has no width


@click.command(short_help="Show what a running proxy does.")
@click.argument("what", metavar="WHAT", type=click.Choice(list(SECTIONS)))
@CONFIG_OPTION
@STATUS_OPTION
@click.option("--json", "as_json", is_flag=True, help="For programs; keys in docs/OPERATIONS.md.")
def show(what: str, path: Path | None, at: str | None, as_json: bool) -> None:
    """Show one side of the running proxy.

    \b
    config    every setting that holds, its default, and whether a reload changes it
    sessions  the clients: who, from where, what they do, what pins them
    upstream  the sessions with the server: whose login, what for, how often lent
    budget    how full the firewall's budget is, and when the next slot is free
    queue     who waits, for what, and for how long still
    classes   what each class of clients has and may have
    refusals  the latest refusals, as the clients have heard them
    """
    try:
        told = place_of(path, at).ask(what)
    except NoAnswer as problem:
        click.echo(str(problem), err=True)
        sys.exit(1)
    if as_json:
        click.echo(json.dumps(told, indent=2))
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDE)
    console.print(SECTIONS[what](told))


@click.command(short_help="Follow a running proxy on one screen.")
@CONFIG_OPTION
@STATUS_OPTION
@click.option(
    "--every", type=click.FloatRange(0.2, 60), default=1.0, show_default=True, help="Seconds."
)
def top(path: Path | None, at: str | None, every: float) -> None:
    """Follow the running proxy: budget, queue, sessions. Ctrl-C ends it; a pipe gets one look."""
    try:
        with contextlib.suppress(KeyboardInterrupt):
            follow(place_of(path, at), Console(), every)
    except NoAnswer as problem:
        click.echo(str(problem), err=True)
        sys.exit(1)
