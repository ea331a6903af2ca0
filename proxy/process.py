"""The process around the app: its loop, what the signals mean, what its starter is told."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from functools import partial

from proxy.app import App
from proxy.config import Config
from proxy.config.parsing import Reading
from proxy.machine import loop_factory, spare_the_collector
from proxy.net.inherited import inherited
from proxy.ops.audit import Audit
from proxy.ops.dump import state
from proxy.ops.logs import EventLog
from proxy.ops.service import ServiceManager
from proxy.phase import Ready


def run(
    config: Config,
    log: EventLog,
    ready: Ready,
    reread: Callable[[], Reading] | None = None,
    *,
    shares_port: bool = False,
) -> None:
    """Run the proxy in this thread until SIGTERM or SIGINT; on uvloop where there is one.

    `reread` reads the configuration's file anew; None where there is no file. With `shares_port`
    other processes listen at the same addresses.
    """
    spare_the_collector()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_run(config, log, ready, reread, shares_port))


async def _run(
    config: Config,
    log: EventLog,
    ready: Ready,
    reread: Callable[[], Reading] | None,
    shares_port: bool,
) -> None:
    service = ServiceManager(os.environ, os.getpid())
    announce = Audit(log, config.log.audit, config.log.xferlog)
    app = App(
        config,
        announce,
        reread=reread,
        inherited=inherited(os.environ, os.getpid()),
        shares_port=shares_port,
    )
    app.on_phase = service.entered
    app.on_adopted = lambda adopted: log.adopt(adopted.log.format, adopted.log.level)
    loop = asyncio.get_running_loop()
    for number, meaning in {
        signal.SIGTERM: app.stop,
        signal.SIGINT: app.stop,
        signal.SIGQUIT: app.abandon,
        signal.SIGHUP: app.reload_soon,
        signal.SIGUSR1: _nothing,  # else it would end us: tools send it to have logs reopened
        signal.SIGUSR2: lambda: log(state(app.phase, app.roster, app.gate, app.egresses)),
    }.items():
        loop.add_signal_handler(number, meaning)
    await app.serve(ready, partial(service.keep_told, lambda: app.is_sound, partial(_status, app)))


def _status(app: App) -> str:
    """Say in a line how full it is."""
    budgets = [egress.budget for egress in app.egresses]
    used, limit = sum(one.used for one in budgets), sum(one.limit for one in budgets)
    slots = f"{used} of {limit} slots used, {sum(one.open for one in budgets)} of them open"
    return f"{app.phase.value}: {slots}; {app.gate.waiting} waiting; {len(app.roster)} sessions"


def _nothing() -> None:
    """The log is standard error, which is not ours to reopen."""
