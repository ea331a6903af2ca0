"""What commands have in common: the option -c, and a configuration or the list of its problems."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import click

from proxy import config as settings
from proxy.config import Config, ConfigError

CONFIG_OPTION = click.option(
    "-c",
    "--config",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The configuration, a YAML file. config/ftpweir.yaml shows every key.",
)


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
