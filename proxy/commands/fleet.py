"""`ftpweir run --workers N`: several processes on this machine that share everything by a store."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click

from proxy import config as settings
from proxy import process
from proxy.config import Config
from proxy.config.parsing import Reading
from proxy.config.worker import TooFew, for_worker
from proxy.net.certificate import BadCertificate
from proxy.net.doors import CannotListen
from proxy.net.inherited import NotListening
from proxy.ops.audit import CannotWrite
from proxy.ops.logs import EventLog
from proxy.ops.service import ServiceManager
from proxy.phase import Phase, Serving
from proxy.store.journal import JournalError
from proxy.workers import Workers

# What a proxy cannot begin with; the message says why.
CANNOT_BEGIN = (*(BadCertificate, CannotListen, CannotWrite, JournalError, NotListening, TooFew),)


def run_workers(path: Path, config: Config, count: int, ready: Callable[[Serving], None]) -> int:
    """Serve by so many processes until told to end; return the exit code."""
    if config.store is None:
        raise click.UsageError("--workers needs a 'store': without one each would count for itself")
    if any(listen.address.port == 0 for listen in config.listen):
        raise click.UsageError("--workers needs a fixed port in 'listen': they share it")
    service = ServiceManager(os.environ, os.getpid())
    status = None if config.status is None else str(config.status.address)
    serving = Serving([str(listen.address) for listen in config.listen], status)

    def all_serve() -> None:
        ready(serving)
        service.entered(Phase.SERVING)

    def work(number: int, serves: Callable[[], None]) -> int:
        return _work(path, config, number, count, serves)

    workers = Workers(count, work, lambda line: click.echo(line, err=True))
    return workers.run(all_serve, lambda: service.entered(Phase.STOPPING))


def _work(path: Path, config: Config, number: int, count: int, serves: Callable[[], None]) -> int:
    def reread() -> Reading:
        reading = settings.check(path)
        if reading.config is None:
            return reading
        return replace(reading, config=for_worker(reading.config, number, count))

    try:
        process.run(
            for_worker(config, number, count),
            EventLog(config.log.format, config.log.level),
            lambda serving: serves(),
            reread,
            shares_port=True,
        )
    except CANNOT_BEGIN as problem:
        click.echo(str(problem), err=True)
        return 2
    return 0
