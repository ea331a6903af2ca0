"""The process around the app, or around the desk of several: its loop, what the signals mean, what
its starter is told."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

from proxy.app import App
from proxy.config import Config
from proxy.config.parsing import Reading
from proxy.machine import loop_factory, spare_the_collector
from proxy.net.inherited import inherited
from proxy.ops.audit import Audit
from proxy.ops.dump import state
from proxy.ops.herald import Herald
from proxy.ops.logs import EventLog
from proxy.ops.page.hatch import Hatch
from proxy.ops.service import ServiceManager
from proxy.ops.station import status_socket
from proxy.phase import Phase, Ready
from proxy.workers import Voice, Word


def run(life: Coroutine[Any, Any, None]) -> None:
    """Live this life in this thread, on uvloop where there is one."""
    spare_the_collector()  # before there is a loop that it would hold up
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(life)


async def serve(
    config: Config,
    log: EventLog,
    ready: Ready,
    reread: Callable[[], Reading] | None = None,
    *,
    voice: Voice | None = None,
    hatch: Hatch | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT.

    `reread` reads the configuration's file anew; None where there is no file. `voice` is
    the way to the parent of several that share their addresses, each looked into by its `hatch`;
    None: this one is alone, and a service manager may have begun it.
    """
    service = voice or ServiceManager(os.environ, os.getpid())
    herald = Herald(log=log)
    herald.add("audit", Audit(herald, config.log.audit, config.log.xferlog))
    app = App(
        config,
        herald,
        reread=reread,
        entered=service.entered,
        adopted=lambda config: log.adopt(config.log.format, config.log.level),
        inherited=inherited(os.environ, os.getpid()),
        shares_port=voice is not None,
        hatch=hatch,
    )
    loop = asyncio.get_running_loop()
    for number, meaning in _signals(app, voice).items():
        loop.add_signal_handler(number, meaning)
    beside = [partial(service.keep_told, lambda: app.is_sound, partial(_status, app))]
    if voice is not None:
        beside.append(partial(voice.listen, app.reload_soon))
    await app.serve(ready, *beside)


def _signals(app: App, voice: Voice | None) -> Mapping[int, Callable[[], object]]:
    """Say what each signal means."""
    return {
        signal.SIGTERM: app.stop,
        signal.SIGINT: app.stop,
        signal.SIGQUIT: app.abandon,
        # One of several never reads it anew alone.
        signal.SIGHUP: app.reload_soon if voice is None else partial(voice.say, Word.RELOAD),
        signal.SIGUSR1: _nothing,  # else it would end us: tools send it to have logs reopened
        signal.SIGUSR2: lambda: app.announce(state(app.phase, app.roster, app.servers)),
    }


async def show_workers(
    config: Config,
    log: EventLog,
    hatches: Sequence[Hatch],
    voice: Voice,
) -> None:
    """Show the workers behind these hatches until SIGTERM."""
    from proxy.ops.page.admin import Admin
    from proxy.ops.page.desk import Desk
    from proxy.ops.page.orders import Orders

    herald = Herald(log=log)
    desk, over = Desk(hatches, time.monotonic), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    async with contextlib.AsyncExitStack() as belongings:
        sock = status_socket(config, herald)
        if sock is not None and config.status is not None:
            belongings.enter_context(sock)
            admin = Admin(desk, Orders(voice, herald), token=config.status.token)
            belongings.push_async_callback(admin.close)
            await admin.open(sock)
        voice.entered(Phase.SERVING)
        async with asyncio.TaskGroup() as tasks:
            signs = tasks.create_task(voice.keep_told(lambda: True, str))
            words = tasks.create_task(voice.listen(lambda agree: None))  # its page stays
            await over.wait()
            signs.cancel()
            words.cancel()


def _status(app: App) -> str:
    """Say in a line how full it is."""
    budgets = [egress.budget for egress in app.rooms.egresses]
    waiting = sum(server.gate.waiting for server in app.servers)
    used, limit = sum(one.used for one in budgets), sum(one.limit for one in budgets)
    slots = f"{used} of {limit} slots used, {sum(one.open for one in budgets)} of them open"
    return f"{app.phase.value}: {slots}; {waiting} waiting; {len(app.roster)} sessions"


def _nothing() -> None:
    """The log is standard error, which is not ours to reopen."""
