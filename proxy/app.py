"""Builds every part from Config, in order, and runs them: serve, drain, end.

Read this file to see how the rooms fit together; each part gets its own section of the
configuration, never the whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import random
import resource
import secrets
import signal
import socket
import time
import traceback
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from proxy.classes import classifier
from proxy.config import Address, Config, PortRange
from proxy.events import Announce, Fault, ReloadRefused
from proxy.net.control import ClientChannel
from proxy.net.listener import ListenerPool
from proxy.net.throttle import Throttle
from proxy.session.exchange import ExchangeRules
from proxy.session.gate import Gate
from proxy.session.listings import Listings
from proxy.session.roster import Roster
from proxy.session.session import Session
from proxy.session.shared import Manners, Shared
from proxy.shaping.attempts import Attempts
from proxy.shaping.holds import PROFILES, explicit
from proxy.store.budget import Budget, Enforce
from proxy.store.journal import Journal
from proxy.upstream.dial import Dialer, Patience
from proxy.upstream.egress import Egress
from proxy.upstream.habits import Habits
from proxy.upstream.pool import Limits, Pool

BACKLOG = 4096  # a cron minute brings thousands of scripts at once
NO_RELOAD = "reloading comes with a later version: restart to read the configuration"
MOST_DESCRIPTORS = 1 << 20  # where the system itself sets no limit
# Left for data connections, pipes and the server when clients take all other descriptors.
SPARE_DESCRIPTORS = 128
KEPT_PORTS = 8  # one in so many descriptors may be a listener that nobody uses now
SWEEP_EVERY = 5.0  # seconds between two looks for idle upstream sessions


class CannotListen(Exception):
    """An address of `listen` cannot be had; the message says which and why."""


class App:
    """The running proxy. `serve` returns when it has been told to stop and everything is over."""

    def __init__(self, config: Config, announce: Announce) -> None:
        self.config = config
        self._announce = announce
        self._clock = time.monotonic
        self._stop = asyncio.Event()
        self.roster = Roster()
        self.egresses = tuple(
            self._egress(address) for address in config.upstream.source_addresses or (None,)
        )
        self.gate = self._gate()
        self._passive_ports = self._ports(config.passive.ports)
        # A port offered to the server rests as long as the firewall remembers its connection.
        rest = max(egress.budget.longest_hold for egress in self.egresses)
        self._upstream_ports = self._ports(config.upstream.ports, rest=rest)
        self._shared = Shared(
            gate=self.gate,
            roster=self.roster,
            attempts=Attempts(config.login.remember),
            passive_ports=self._passive_ports,
            upstream_ports=self._upstream_ports,
            throttle=Throttle(config.upstream.bandwidth, self._clock),
            exchange_rules=self._exchange_rules(),
            listings=self._listings(),
            manners=self._manners(),
            classify=classifier(config.clients),
            new_ref=_new_ref,
            clock=self._clock,
            announce=announce,
        )

    async def serve(self, ready: Callable[[list[str]], None]) -> None:
        """Listen, tell `ready` where, and serve until told to stop."""
        with contextlib.ExitStack() as belongings:
            for egress in self.egresses:
                belongings.callback(egress.budget.close)
            sockets = []
            for listener in self.config.listen:
                sockets.append(belongings.enter_context(_bind(listener.address)))
            async with asyncio.TaskGroup() as self._tasks:
                sweeper = self._tasks.create_task(self._sweep())
                with contextlib.ExitStack() as doors:
                    for sock in sockets:
                        doors.callback((await self._listen(sock)).close)
                    ready([_place(sock) for sock in sockets])
                    await self._stop.wait()
                await self._drain()
                sweeper.cancel()

    def stop(self) -> None:
        """End after the running transfers; called again: end at once."""
        if self._stop.is_set():
            self.roster.throw_out()
        self._stop.set()

    async def _listen(self, sock: socket.socket) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(
            lambda: ClientChannel(self._welcome), sock=sock, backlog=BACKLOG
        )

    def _welcome(self, client: ClientChannel) -> None:
        self._spawn(Session(client, self._shared).run())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.create_task(self._guarded(work))

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        """Keep one task's unexpected error from ending all the others."""
        try:
            await work
        except Exception as error:
            self._announce(
                Fault(getattr(work, "__qualname__", "task"), repr(error), traceback.format_exc())
            )

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY)
            for egress in self.egresses:
                egress.pool.sweep()

    async def _drain(self) -> None:
        await self.roster.drain(self.config.timeouts.drain)
        for egress in self.egresses:
            await egress.pool.close()
        self._passive_ports.close()
        self._upstream_ports.close()

    # The parts.

    def _egress(self, address: str | None) -> Egress:
        budget = self._budget(address)
        return Egress(address, budget, self._pool(address, budget))

    def _budget(self, address: str | None) -> Budget:
        budget = self.config.budget
        return Budget(
            budget.limit,
            holds=explicit(budget.time_wait)
            if budget.profile is None
            else PROFILES[budget.profile],
            guard=budget.guard,
            enforce=Enforce(budget.enforce),
            clock=self._clock,
            announce=self._announce,
            journal=self._journal(address),
        )

    def _journal(self, address: str | None) -> Journal | None:
        config = self.config
        if config.state is None or config.budget.enforce == "off":
            return None
        # Each address has a ledger of its own, so a file of its own.
        path = config.state if address is None else f"{config.state}.{address}"
        return Journal(Path(path), clock=self._clock())

    def _pool(self, address: str | None, budget: Budget) -> Pool:
        upstream, timeouts = self.config.upstream, self.config.timeouts
        return Pool(
            Dialer(
                upstream.host,
                upstream.port,
                Patience(connect=timeouts.connect, login=timeouts.login, reply=timeouts.final),
                address,
            ),
            Limits(
                sessions=upstream.sessions,
                lifetime=upstream.session_lifetime,
                idle=upstream.idle_timeout,
                login_memory=upstream.login_memory,
                resets=self._resets,
            ),
            budget=budget,
            clock=self._clock,
            announce=self._announce,
            spawn=self._spawn,
        )

    def _gate(self) -> Gate:
        queue = self.config.queue
        return Gate(
            egresses=self.egresses,
            max_wait=queue.max_wait,
            max_length=queue.max_length,
            clock=self._clock,
        )

    def _ports(self, ports: PortRange, rest: float = 0.0) -> ListenerPool:
        chance = random.SystemRandom()
        return ListenerPool(
            ports.first,
            ports.last,
            clock=self._clock,
            chance=chance,
            rest=rest,
            keep=raise_descriptor_limit() // KEPT_PORTS,
        )

    def _exchange_rules(self) -> ExchangeRules:
        timeouts = self.config.timeouts
        return ExchangeRules(
            active_upstream=self.config.upstream.data == "active",
            connect=timeouts.connect,
            stall=timeouts.stall,
            final=timeouts.final,
            habits=Habits() if self._resets else None,
        )

    def _listings(self) -> Listings | None:
        upstream = self.config.upstream
        by_stat, shared = upstream.list_by_stat == "on", upstream.share_listings == "on"
        if not by_stat and not shared:
            return None
        return Listings(by_stat=by_stat, shared=shared, max_wait=self.config.queue.max_wait)

    @property
    def _resets(self) -> bool:
        return self.config.budget.close == "reset"

    def _manners(self) -> Manners:
        config = self.config
        told = config.passive.address
        return Manners(
            idle=config.timeouts.idle,
            max_wait=config.queue.max_wait,
            transfer_code=config.refusals.transfer_code,
            refusal_delay=config.refusals.delay,
            login_attempts=config.login.attempts,
            login_delay=config.login.delay,
            passive_address=None if told == "auto" else told,
            keeps_session=config.upstream.pooling == "session",
            site_harmless=frozenset(config.upstream.site_harmless),
            most_descriptors=raise_descriptor_limit() - SPARE_DESCRIPTORS,
        )


def run(config: Config, announce: Announce, ready: Callable[[list[str]], None]) -> None:
    """Run the proxy in this thread until SIGTERM or SIGINT; on uvloop where there is one."""
    spare_the_collector()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_run(config, announce, ready))


async def _run(config: Config, announce: Announce, ready: Callable[[list[str]], None]) -> None:
    app = App(config, announce)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, app.stop)
    # By default it would end us at once; a lost terminal must not cut every transfer.
    loop.add_signal_handler(signal.SIGHUP, announce, ReloadRefused(NO_RELOAD))
    await app.serve(ready)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's, or None for asyncio's own where uvloop is not installed."""
    if os.environ.get("FTPWEIR_LOOP") == "asyncio":
        return None
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def spare_the_collector() -> None:
    """Collect cycles seldom: a transfer makes none, and what was loaded stays for ever."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def raise_descriptor_limit() -> int:
    """Allow as many descriptors as the hard limit does, and return how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = MOST_DESCRIPTORS
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return hard
    return soft


def _bind(address: Address) -> socket.socket:
    try:
        family, _, _, _, place = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(place[:2], family=family, backlog=BACKLOG)
    except OSError as problem:
        why = (
            problem.strerror
            if isinstance(problem, socket.gaierror)
            else os.strerror(problem.errno or 0)
        )
        raise CannotListen(f"cannot listen on {address}: {why}") from None


def _place(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _new_ref() -> str:
    """Return a reference short enough to read out on the telephone."""
    return secrets.token_hex(3)
