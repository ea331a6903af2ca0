"""What commands have in common: a configuration or its problems, and the way to a running proxy."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from proxy import config as settings
from proxy.config import Config, ConfigError
from proxy.config.units import Misfit
from proxy.ops.ask import StatusAddress

CONFIG_OPTION = click.option(
    "-c",
    "--config",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The configuration, a YAML file. config/ftpweir.yaml shows every key.",
)

DEFAULT = "127.0.0.1:8021"
STATUS_OPTION = click.option(
    "--status",
    "at",
    metavar="ADDR:PORT",
    help=f"Where it is asked, instead of what -c says; its token is in the variable FTPWEIR_TOKEN. "
    f"[default: {DEFAULT}]",
)


SERVER_OPTION = click.option(
    "--server",
    metavar="NAME",
    help="One of `servers`, or HOST:PORT of a standby server. [default: the one at the top of the "
    "file]",
)


def at_server(config: Config, name: str | None) -> Config:
    """Return the configuration that this server would have alone."""
    known = (
        config.by_server
        | {
            str(place): one.at_standby(place)
            for one in config.by_server.values()
            if not one.upstream.source_addresses  # each has a state file of its own there
            for place in one.upstream.servers[1:]
        }
    )
    if (name or "") not in known:
        told = ", ".join(one for one in known if one) or "none"
        raise click.UsageError(f"there is no server {name!r} in the file; it names {told}")
    return known[name or ""]


def load_config(path: Path) -> Config:
    """Return the configuration, or tell its problems and exit."""
    try:
        return settings.load(path)
    except ConfigError as error:
        give_up(error)


def give_up(error: ConfigError) -> NoReturn:
    """Tell every problem and exit with 2."""
    for problem in error.problems:
        click.echo(str(problem), err=True)
    sys.exit(2)


def place_of(path: Path | None, at: str | None) -> StatusAddress:
    """Return where a running proxy is asked, by the two options; raise NoAnswer."""
    if path is not None and at is None:
        return StatusAddress.of(_load_for_status(path))
    try:
        return StatusAddress.written(at or DEFAULT, os.environ.get("FTPWEIR_TOKEN"))
    except Misfit as misfit:
        raise click.BadParameter(str(misfit), param_hint="--status or FTPWEIR_TOKEN") from None


def _load_for_status(path: Path) -> Config:
    """Load the file; who spoilt it may still ask the ftpweir that runs by what it said before."""
    try:
        return settings.load(path)
    except ConfigError as error:
        click.echo(
            f"{path} has problems, so it does not tell where to ask; --status ADDR:PORT does:",
            err=True,
        )
        give_up(error)
