"""`ftpweir run --workers N`: several processes on this machine that share everything by a store."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from proxy import config as settings
from proxy import process
from proxy.config import Config
from proxy.config.parsing import Reading
from proxy.config.problem import Problem
from proxy.config.worker import TooFew, for_worker
from proxy.events import Reloaded
from proxy.net.certificate import BadCertificate
from proxy.net.doors import CannotListen
from proxy.net.inherited import NotListening
from proxy.ops.audit import CannotWrite
from proxy.ops.logs import EventLog
from proxy.ops.outlet import standard_error
from proxy.ops.page.hatch import Hatch
from proxy.ops.service import ServiceManager
from proxy.phase import Phase, Serving
from proxy.store.journal import JournalError
from proxy.workers import Outcome, Voice, Workers

# What a proxy cannot begin with; the message says why.
CANNOT_BEGIN = (*(BadCertificate, CannotListen, CannotWrite, JournalError, NotListening, TooFew),)


def run_workers(path: Path, config: Config, count: int, ready: Callable[[Serving], None]) -> int:
    """Serve by so many processes until told to end; return the exit code."""
    if config.store is None:
        raise click.UsageError("--workers needs a 'store': without one each would count for itself")
    if any(listen.address.port == 0 for listen in config.listen):
        raise click.UsageError("--workers needs a fixed port in 'listen': they share it")
    crew = Crew(path, config, [Hatch.made() for _ in range(count)], ready)
    desk = crew.show if config.status is not None else None
    return Workers(count, crew.work, crew, desk=desk).run()


class Crew:
    """What the processes have in common, and what becomes of what their parent sees."""

    def __init__(
        self,
        path: Path,
        config: Config,
        hatches: Sequence[Hatch],
        ready: Callable[[Serving], None],
    ) -> None:
        self._path = path
        self._config = config  # what holds now: what a worker that is started again begins with
        self._sheet = Sheet()
        self._count = len(hatches)
        self._say_ready = ready
        self._hatches = hatches  # one for each worker
        self._service = ServiceManager(os.environ, os.getpid())
        self._report_due = 0.0
        self._stderr = standard_error()

    # In a child.

    def work(self, number: int, voice: Voice) -> int:
        """Be one worker; return the exit code."""

        def reread() -> Reading:
            reading = self._sheet.read()
            if reading.config is None:
                return reading
            try:
                return replace(reading, config=for_worker(reading.config, number, self._count))
            except TooFew as problem:
                return Reading(None, (Problem(str(self._path), 0, 0, "", str(problem)),))

        return _exit_code(
            lambda: process.serve(
                for_worker(self._config, number, self._count),
                self._log(),
                lambda serving: None,
                reread,
                voice=voice,
                hatch=self._hatches[number],
            )
        )

    def show(self, number: int, voice: Voice) -> int:
        """Be the desk; return the exit code."""
        return _exit_code(
            lambda: process.show_workers(self._config, self._log(), self._hatches, voice)
        )

    def _log(self) -> EventLog:
        return EventLog(self._config.log.format, self._config.log.level)

    # In the parent.

    def ready(self) -> None:
        """Tell who waits for it."""
        listening = [str(listen.address) for listen in self._config.listen]
        status = self._config.status
        self._say_ready(Serving(listening, None if status is None else str(status.address)))
        self._service.entered(Phase.SERVING)

    def ending(self) -> None:
        """Tell the service manager."""
        self._service.entered(Phase.STOPPING)

    def reread(self) -> None:
        """Write down what the file says now, the same for all."""
        self._service.entered(Phase.RELOADING)
        self._sheet.write(settings.check(self._path))

    def decided(self, outcome: Outcome) -> None:
        """Begin with the same from now on, if they go on by it."""
        if isinstance(outcome, Reloaded):
            self._config = self._sheet.read().config or self._config
        self._service.entered(Phase.SERVING)

    def look(self, is_sound: bool, status: str) -> float:
        """Tell the service manager how it is, as often as it wants to know."""
        if (now := time.monotonic()) >= self._report_due:
            self._report_due = now + self._service.every
            self._service.report(is_sound, status)
        return self._report_due

    def tell(self, line: str) -> None:
        """Write it where the log goes, if it can be."""
        with suppress(OSError):
            self._stderr.write(f"{line}\n")


class Sheet:
    """What the parent has read last, in memory that all who are forked share.

    Else a file that is written just now could be read by one before, by another after it.
    """

    def __init__(self) -> None:
        self._memory = os.memfd_create("ftpweir")

    def write(self, reading: Reading) -> None:
        """Replace what it says."""
        os.ftruncate(self._memory, 0)
        os.pwrite(self._memory, pickle.dumps(reading), 0)

    def read(self) -> Reading:
        """Return what was written last; nobody else can have written there."""
        reading = pickle.loads(os.pread(self._memory, os.fstat(self._memory).st_size, 0))
        assert isinstance(reading, Reading)
        return reading


def _exit_code(life: Callable[[], Coroutine[Any, Any, None]]) -> int:
    try:
        process.run(life())
    except CANNOT_BEGIN as problem:
        click.echo(str(problem), err=True)
        return 2
    return 0
