"""`ftpweir healthcheck`: is there a proxy that greets its clients? For containers and monitors."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from proxy.config import Address
from proxy.config.addresses import is_within, parse_address
from proxy.config.units import Misfit
from proxy.ops.ask import StatusAddress
from proxy.ops.healthcheck import Unwell, check_greeting, check_page

from .options import CONFIG_OPTION, load_config


@click.command(short_help="Tell whether a running proxy greets its clients.")
@CONFIG_OPTION
@click.option(
    "--at",
    metavar="ADDR:PORT",
    envvar="FTPWEIR_CONTROL",
    help="Where it listens. [default: the first `listen` of FILE, else 127.0.0.1:2121]",
)
@click.option("--timeout", type=click.FloatRange(0.1, 300), default=5.0, show_default=True)
def healthcheck(path: Path | None, at: str | None, timeout: float) -> None:
    """Connect as a client does; exit 0 if it greets with 220, else say why not and exit 1."""
    first, page = b"", None
    try:
        place = parse_address(at or "127.0.0.1:2121")
    except Misfit as misfit:
        raise click.BadParameter(str(misfit), param_hint="--at") from None
    if path is not None:
        config = load_config(path)
        listen = config.listen[0]
        page = StatusAddress.of(config).address if config.status is not None else None
        here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen.address.host, listen.address.host)
        place = place if at else Address(here, listen.address.port)
        if listen.proxy_protocol == "on" and is_within(listen.trusted, here):
            first = b"PROXY UNKNOWN\r\n"
    try:
        if page is not None:
            check_page(page, timeout)
        click.echo(check_greeting(place.host, place.port, timeout, first))
    except Unwell as unwell:
        click.echo(f"{place}: {unwell}", err=True)
        sys.exit(1)
