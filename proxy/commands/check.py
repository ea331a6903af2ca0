"""The command `ftpweir check`: every problem of a configuration, with its place in the file.

Beyond what the text says it reads the files for TLS that the text names. Connects to nobody.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from proxy import config as settings
from proxy import sections
from proxy.config import Config, Problem
from proxy.config.document import Document
from proxy.net.certificate import BadCertificate, CertificateFiles, server_context
from proxy.net.trust import Shown, trust_context

from .options import CONFIG_OPTION

SOON = 30 * 86400.0  # seconds


@click.command(short_help="Report every problem of a configuration.")
@CONFIG_OPTION
def check(path: Path | None) -> None:
    """Read a configuration and report every problem with line and column.

    The files for TLS that it names are read too.
    """
    if path is None:
        raise click.UsageError("give the file: ftpweir check -c FILE")
    reading = settings.check(path)
    problems = list(reading.problems)
    if reading.config is not None and reading.document is not None:
        problems += problems_of_files(reading.config, reading.document, time.time())
    for problem in problems:
        click.echo(str(problem))
    if any(problem.severity == "error" for problem in problems):
        sys.exit(1)
    click.echo(f"{path}: good" + (", with warnings" if problems else ""))


def problems_of_files(config: Config, document: Document, now: float) -> Iterator[Problem]:
    """Find what is wrong with the files for TLS; `now` is in seconds since 1970."""
    for at, listen in enumerate(config.listen):
        files = sections.certificate_files(listen)
        if files is not None:
            yield from _of_certificate(files, ("listen", at), document, now)
    for name, place in config.server_places.items():
        trust = sections.trust_files(config.by_server[name])
        if trust is not None:
            try:
                trust_context(trust)
            except BadCertificate as bad:
                yield document.problem((*place, "upstream", bad.setting), str(bad))


def _of_certificate(
    files: CertificateFiles, place: tuple[str, int], document: Document, now: float
) -> Iterator[Problem]:
    try:
        server_context(files)
    except BadCertificate as bad:
        yield document.problem((*place, bad.setting), str(bad))
        return
    shown = Shown.first_in(files.certificate)
    if shown is not None and (words := _dates(shown, now)):
        message = f"{files.certificate}: {words}"
        yield document.problem((*place, "certificate"), message, severity="warning")


def _dates(shown: Shown, now: float) -> str:
    """Tell what clients have against the dates of a certificate, or will have soon."""
    if now < shown.begins_at:
        return f"is valid only from {_day(shown.begins_at)} on: until then clients refuse it"
    if now > shown.expires_at:
        return f"has expired on {_day(shown.expires_at)}: clients refuse it"
    if now > shown.expires_at - SOON:
        return f"expires on {_day(shown.expires_at)}"
    return ""


def _day(when: float) -> str:
    return f"{datetime.fromtimestamp(when, UTC):%Y-%m-%d}"
