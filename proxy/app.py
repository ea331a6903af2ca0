"""Builds every part from Config, in order, and keeps them: serve, reload, drain, end.

Read this file to see how the rooms fit together; what each is handed of the configuration stands in
sections.py, the process around it all in process.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import socket
import time
import traceback
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from proxy import sections
from proxy.classes import classifier
from proxy.config import Config, Effect, Listen, changed_keys, effect_of, rigid_changes
from proxy.config.addresses import is_within
from proxy.config.parsing import Reading
from proxy.events import (
    Announce,
    DrainBegan,
    DrainEnded,
    Fault,
    ProxyHeaderRefused,
    Reloaded,
    ReloadRefused,
)
from proxy.machine import raise_descriptor_limit
from proxy.net.certificate import BadCertificate
from proxy.net.control import ClientChannel
from proxy.net.doors import CannotListen, Door, Doors
from proxy.net.header_first import HeaderFirst
from proxy.net.listener import ListenerPool
from proxy.net.throttle import Throttle
from proxy.ops.station import Station
from proxy.phase import Phase, Ready, Serving
from proxy.session.client_tls import TlsOffer
from proxy.session.gate import Gate
from proxy.session.roster import Roster
from proxy.session.session import Session
from proxy.session.shared import Shared
from proxy.shaping.attempts import Attempts
from proxy.store.budget import Budget
from proxy.store.group import Group
from proxy.store.journal import Journal
from proxy.upstream.egress import Egress
from proxy.upstream.habits import Habits
from proxy.upstream.order import Order
from proxy.upstream.pool import Pool

# Left for data connections, pipes and the server when clients take all other descriptors.
SPARE_DESCRIPTORS = 128
KEPT_PORTS = 8  # one in so many descriptors may be a listener that nobody uses now
SWEEP_EVERY = 5.0  # seconds between two looks for idle upstream sessions

# What a change of these would make wrong is what was learned of listings.
LISTING_KEYS = {"upstream.list_by_stat", "upstream.share_listings", "queue.max_wait"}
NO_FILE = "there is no file to read anew: it was started with --upstream or --demo"
STOPPING = "it is shutting down"


Lasting = Callable[[], Coroutine[Any, Any, None]]  # what goes on for as long as the app serves


class _Abandoned(Exception):
    """Told to end at once, whatever runs."""


class App:
    """The running proxy. `serve` returns when it has been told to stop and everything is over."""

    def __init__(
        self,
        config: Config,
        announce: Announce,
        *,
        reread: Callable[[], Reading] | None = None,
        inherited: Sequence[socket.socket] = (),
    ) -> None:
        self.config = config
        self.phase = Phase.STARTING
        self.on_phase: Callable[[Phase], None] = lambda phase: None
        self.on_adopted: Callable[[Config], None] = lambda config: None
        # Whoever looks on hears every event; nobody else pays for it.
        self._station = Station(announce) if config.status is not None else None
        self._announce = announce = self._station or announce
        self._reread = reread
        self._reloading = asyncio.Lock()
        self._clock = time.monotonic
        self._stop, self._hurry = asyncio.Event(), asyncio.Event()
        self._swept_at = self._clock()
        self._descriptors = raise_descriptor_limit()
        self._habits = Habits()
        self.roster = Roster()
        self.tls = sections.tls(config, announce)
        self._order = Order(config.upstream.pipelining)
        self.doors = Doors(self._greet, inherited)
        self._group = Group(config, clock=self._clock, announce=announce)
        self._group.when_cut_off(self._cut)
        self.egresses = tuple(
            self._egress(address) for address in config.upstream.source_addresses or (None,)
        )
        self.gate = Gate(
            egresses=self.egresses,
            max_wait=config.queue.max_wait,
            max_length=config.queue.max_length,
            clock=self._clock,
            store=self._group.store,
        )
        passive, upstream = config.passive.ports, config.upstream.ports
        self._passive_ports = self._ports(passive.first, passive.last)
        self._upstream_ports = self._ports(upstream.first, upstream.last, rest=self._port_rest)
        self._shared = Shared(
            gate=self.gate,
            roster=self.roster,
            attempts=Attempts(config.login.remember),
            passive_ports=self._passive_ports,
            upstream_ports=self._upstream_ports,
            throttle=Throttle(config.upstream.bandwidth, self._clock),
            exchange_rules=sections.exchange_rules(config, self._habits),
            listings=sections.listings(config),
            manners=sections.manners(config, self._descriptors - SPARE_DESCRIPTORS),
            classify=classifier(config.clients),
            new_ref=_new_ref,
            clock=self._clock,
            announce=announce,
        )

    # Life.

    async def serve(self, ready: Ready, *beside: Lasting) -> None:
        """Listen, tell `ready` where, and serve until told to stop; `beside` runs as long."""
        async with contextlib.AsyncExitStack() as belongings:
            for egress in self.egresses:
                belongings.callback(egress.budget.close)
            doors = self.doors.bind(self.config.listen, claim_all=True)
            belongings.callback(self.doors.close)
            # Opened first and closed last: draining can be watched.
            status = None
            if self._station is not None:
                status = await belongings.enter_async_context(self._station.opened(self))
            with contextlib.suppress(_Abandoned):
                await self._live(doors, lambda: ready(Serving(self.doors.places, status)), beside)
        self._enter(Phase.OVER)

    def stop(self) -> None:
        """End after the running transfers; called again: end at once."""
        if self._stop.is_set():
            self._hurry.set()
            self.roster.throw_out()
        self._stop.set()

    def abandon(self) -> None:
        """End now; only the ledger is saved."""
        self._tasks.create_task(_give_up())

    @property
    def is_sound(self) -> bool:
        """Tell whether the loop keeps up and the books are in order: what a watchdog asks."""
        is_late = self._clock() - self._swept_at > 3 * SWEEP_EVERY
        return not is_late and all(egress.budget.adds_up for egress in self.egresses)

    async def _live(
        self, doors: list[Door], ready: Callable[[], None], beside: Sequence[Lasting]
    ) -> None:
        try:
            async with asyncio.TaskGroup() as self._tasks:
                always = (self._sweep, self._group.keep_in_touch, *beside)
                lasting = [self._tasks.create_task(one()) for one in always]
                await self.doors.adopt(doors, self.config.listen)
                self._enter(Phase.SERVING)
                ready()
                await self._stop.wait()
                await self._drain()
                for task in lasting:
                    task.cancel()
            await self._group.leave()
        except* _Abandoned as ends:
            raise _Abandoned from ends

    def _enter(self, phase: Phase) -> None:
        self.phase = phase
        self.on_phase(phase)

    def _greet(self, listen: Listen) -> asyncio.Protocol:
        welcome = partial(self._welcome, self.tls.offers[listen])
        if listen.proxy_protocol == "off":
            return ClientChannel(welcome)
        return HeaderFirst(
            partial(ClientChannel, welcome),
            trusts=partial(is_within, listen.trusted),
            refused=lambda peer, why: self._announce(ProxyHeaderRefused(peer, why)),
        )

    def _welcome(self, offer: TlsOffer, client: ClientChannel) -> None:
        session = Session(client, self._shared, offer)
        if self.phase is Phase.DRAINING:
            session.ask_to_leave()  # it came in the moment in which the door was closed
        self._spawn(session.run())

    def _spawn(self, work: Coroutine[Any, Any, object]) -> None:
        self._tasks.create_task(self._guarded(work))

    async def _guarded(self, work: Coroutine[Any, Any, object]) -> None:
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
            self._swept_at = self._clock()
            for egress in self.egresses:
                egress.pool.sweep()

    def _cut(self) -> None:
        self.roster.throw_out()
        for egress in self.egresses:
            egress.pool.cut()

    async def _drain(self) -> None:
        """Let nobody in, let transfers end, say goodbye to the server."""
        timeouts, began = self.config.timeouts, self._clock()
        self._enter(Phase.STOPPING)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeouts.drain_lag):
                await self._hurry.wait()
        self._announce(DrainBegan(len(self.roster), timeouts.drain))
        self._enter(Phase.DRAINING)
        self.doors.close()
        self.gate.close()
        thrown_out = await self.roster.drain(timeouts.drain)
        for egress in self.egresses:
            await egress.pool.close()
        self._passive_ports.close()
        self._upstream_ports.close()
        self._announce(DrainEnded(self._clock() - began, thrown_out))

    # Another configuration.

    def reload_soon(self) -> None:
        """Begin a reload; its outcome is announced."""
        self._spawn(self.reload())

    async def reload(self) -> Reloaded | ReloadRefused:
        """Read the file anew and go on by it; or change nothing at all, and tell why."""
        async with self._reloading:
            if self.phase is Phase.SERVING:
                self._enter(Phase.RELOADING)
            outcome = await self._reload()
            if self.phase is Phase.RELOADING:
                self._enter(Phase.SERVING)
        self._announce(outcome)
        return outcome

    async def _reload(self) -> Reloaded | ReloadRefused:
        if self._reread is None:
            return ReloadRefused((NO_FILE,))
        # Not in the loop: it would hold up every transfer for as long as the file takes.
        reading = await asyncio.to_thread(self._reread)
        if self._stop.is_set():
            return ReloadRefused((STOPPING,))
        told = tuple(str(problem) for problem in reading.problems)
        if reading.config is None:
            return ReloadRefused(told)
        changed = changed_keys(self.config, reading.config)
        if rigid := tuple(rigid_changes(changed, reading.document, has_ledger=self._has_ledger)):
            return ReloadRefused(rigid)
        try:
            await self._adopt(reading.config, changed)
        except (BadCertificate, CannotListen) as problem:
            return ReloadRefused((str(problem),))
        return Reloaded(changed, told)

    async def _adopt(self, config: Config, changed: tuple[str, ...]) -> None:
        """Go on by another configuration; raise CannotListen or BadCertificate before anything
        has changed."""
        tls = sections.tls(config, self._announce, self.tls)
        doors = self.doors.bind(config.listen)
        self.tls = tls
        # What only concerns new sessions with the server is no reason to end those in order.
        renew = any(effect_of(key) is Effect.NEW_UPSTREAM for key in changed)
        if renew:
            self._habits = Habits()
        if renew or "upstream.pipelining" in changed:
            self._order.adopt(config.upstream.pipelining)
        self.config = config
        for egress in self.egresses:
            egress.budget.adopt(
                config.budget.limit,
                holds=sections.holds(config),
                guard=config.budget.guard,
                enforce=sections.enforce(config),
            )
            dialer = sections.dialer(config, egress.address, tls.server)
            egress.pool.adopt(dialer, sections.limits(config), renew=renew)
        passive, upstream = config.passive.ports, config.upstream.ports
        self._passive_ports.adopt(passive.first, passive.last, rest=0.0)
        self._upstream_ports.adopt(upstream.first, upstream.last, rest=self._port_rest)
        shared = self._shared
        shared.throttle.limit_total(config.upstream.bandwidth)
        shared.attempts.memory = config.login.remember
        shared.exchange_rules = sections.exchange_rules(config, self._habits)
        shared.manners = sections.manners(config, self._descriptors - SPARE_DESCRIPTORS)
        if renew or LISTING_KEYS & set(changed):
            shared.listings = sections.listings(config)
        if "clients" in changed:
            shared.classify = classifier(config.clients)
        # Last, for it lets those go on who may now.
        self.gate.adopt(max_wait=config.queue.max_wait, max_length=config.queue.max_length)
        self.on_adopted(config)
        await self.doors.adopt(doors, config.listen)

    # The parts.

    def _egress(self, address: str | None) -> Egress:
        config = self.config
        budget = Budget(
            config.budget.limit,
            holds=sections.holds(config),
            guard=config.budget.guard,
            enforce=sections.enforce(config),
            clock=self._clock,
            announce=self._announce,
            journal=self._journal(address),
            share=self._group.slots(address),
        )
        pool = Pool(
            sections.dialer(config, address, self.tls.server),
            sections.limits(config),
            budget=budget,
            clock=self._clock,
            announce=self._announce,
            spawn=self._spawn,
            share=self._group.seats(address),
            order=self._order,
        )
        return Egress(address, budget, pool)

    def _journal(self, address: str | None) -> Journal | None:
        config = self.config
        self._has_ledger = config.state is None or config.budget.enforce != "off"
        if config.state is None or config.budget.enforce == "off":
            return None
        # Each address has a ledger of its own, so a file of its own.
        path = config.state if address is None else f"{config.state}.{address}"
        return Journal(Path(path), clock=self._clock())

    @property
    def _port_rest(self) -> float:
        """A port offered to the server rests as long as the firewall remembers its connection."""
        return max(egress.budget.longest_hold for egress in self.egresses)

    def _ports(self, first: int, last: int, rest: float = 0.0) -> ListenerPool:
        return ListenerPool(
            first,
            last,
            clock=self._clock,
            chance=random.SystemRandom(),
            rest=rest,
            keep=self._descriptors // KEPT_PORTS,
        )


def _new_ref() -> str:
    """Return a reference short enough to read out on the telephone."""
    return secrets.token_hex(3)


async def _give_up() -> None:
    raise _Abandoned
