"""What commands have in common: a configuration or its problems, and the way to a running proxy."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import click

from proxy import config as settings
from proxy.config import Config, ConfigError
from proxy.config.units import Misfit
from proxy.ops.ask import StatusAddress
from proxy.ops.snapshot import ONLY_BUDGET
from proxy.ways import way_name

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


@dataclass(frozen=True, slots=True)
class Chosen:
    """The server that a command is about; `config` is what it would have alone."""

    config: Config
    server: str  # its name, empty at the top of the file
    budget: str  # what a running ftpweir calls its first budget


def at_server(config: Config, name: str | None) -> Chosen:
    """Return the server of that name, or the standby server at that HOST:PORT."""
    known: dict[str, Chosen] = {}
    for server, alone in config.by_server.items():
        known[server] = _chosen(alone, server)
        for place in alone.upstream.servers[1:]:
            known[str(place)] = _chosen(alone.at_standby(place), server)
    if (name or "") not in known:
        told = ", ".join(one for one in known if one) or "none"
        raise click.UsageError(f"there is no server {name!r} in the file; it names {told}")
    return known[name or ""]


def _chosen(config: Config, server: str) -> Chosen:
    first = next(iter(config.upstream.source_addresses), None)
    budget = way_name(server, config.upstream.name_of(0, first)) or ONLY_BUDGET
    return Chosen(config, server, budget)


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
