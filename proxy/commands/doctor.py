"""`ftpweir doctor`: its arguments, its progress, its report, its exit code."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from proxy.config import Address, Config
from proxy.ops.doctor import (
    Credentials,
    Examination,
    NoPassword,
    Report,
    Wishes,
    diagnose,
    find_credentials,
    progress,
)

from .options import CONFIG_OPTION, SERVER_OPTION, at_server, load_config


@click.command(short_help="Find out why it does not work.")
@CONFIG_OPTION
@SERVER_OPTION
@click.option("--user", help="Whose login to try. [default: the one in ~/.netrc, else none]")
@click.option(
    "--tls",
    type=click.Choice(["off", "explicit", "implicit"]),
    help="As if upstream.tls said so. [default: what it says]",
)
@click.option("--write-test", metavar="DIR", help="Store a small file there, and delete it again.")
@click.option("--probe-limits", is_flag=True, help="Count how many sessions the server allows.")
@click.option("--json", "as_json", is_flag=True, help="For programs; keys in docs/OPERATIONS.md.")
def doctor(
    path: Path | None, server: str | None, user: str | None, as_json: bool, **wishes: Any
) -> None:
    """Walk the way that a transfer takes, and name what is wrong, the worst first.

    Looks at ftpweir itself, this machine, the server's name, its port, greeting, TLS and
    certificate, the login, passive and active data connections, and a listing. Each finding tells
    the cause, the evidence and the remedy.

    The password comes from the variable FTPWEIR_PASSWORD, from ~/.netrc, or is asked for: never
    from an argument, which everybody on the machine can read.

    Takes about four connections, which the firewall counts like any other; it tries no more than
    the budget has room for, and stops at the first sign of a ban. Nothing is changed at the server
    without --write-test.

    \b
    Exit codes:
      0  what is configured works
      1  a problem was found
      2  bad usage or bad configuration

    \b
    Examples:
      ftpweir doctor -c ftpweir.yaml                      the way to the server, no login
      ftpweir doctor -c ftpweir.yaml --user batch         all of it
      ftpweir doctor -c ftpweir.yaml --tls explicit       would TLS work?
    """
    if path is None:
        raise click.UsageError("give the file: ftpweir doctor -c FILE")
    chosen = at_server(load_config(path), server)
    config = chosen.config
    login = _login(config, user)
    # With --json standard output is for the program that reads it.
    console = Console(stderr=as_json)
    wished = Wishes(login, server=chosen.server, budget=chosen.budget, **wishes)
    visit = Examination(config, wished, lambda step: console.print(progress(step)))
    findings = diagnose(config, visit.run())
    place = str(Address(config.upstream.host, config.upstream.port))
    report = Report(place, findings, tuple(visit.steps), visit.seen.connections)
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        console.print(report.as_text())
    sys.exit(1 if report.has_problem else 0)


def _login(config: Config, user: str | None) -> Credentials | None:
    ask = _ask_password if sys.stdin.isatty() else None
    try:
        return find_credentials(config.upstream.host, user, environment=os.environ, ask=ask)
    except NoPassword as problem:
        raise click.UsageError(str(problem)) from None


def _ask_password(question: str) -> str:
    return str(click.prompt(question, hide_input=True))
