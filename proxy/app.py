"""The life of the proxy: serve, reload, drain, end.

How the rooms fit together is in rooms.py, what each is handed of the configuration in sections.py,
the process around it all in process.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import traceback
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from proxy import sections
from proxy.config import Config, Listen, changed_keys
from proxy.config.addresses import is_within
from proxy.config.parsing import Reading
from proxy.events import (
    DrainBegan,
    DrainEnded,
    Fault,
    ProxyHeaderRefused,
    Reloaded,
    ReloadRefused,
)
from proxy.net.certificate import BadCertificate
from proxy.net.client_channel import ClientChannel
from proxy.net.doors import CannotListen, Door, Doors, Greet
from proxy.net.header_first import HeaderFirst
from proxy.net.redirected import wanted
from proxy.ops.herald import Herald
from proxy.ops.page.hatch import Hatch
from proxy.ops.station import Station
from proxy.phase import Phase, Ready, Serving
from proxy.rooms import Rooms
from proxy.server_side import ServerSide
from proxy.session.backend import Entrance
from proxy.session.client_tls import TlsOffer
from proxy.session.session import Session
from proxy.store.journal import JournalError
from proxy.workers import Agree, Outcome

SWEEP_EVERY = 5.0  # seconds between two looks for idle upstream sessions

NO_FILE = "there is no file to read anew: it was started with --upstream or --demo"
STOPPING = "it is shutting down"
FAULT = "a fault inside the proxy, which the log has"


Lasting = Callable[[], Coroutine[Any, Any, None]]  # what goes on for as long as the app serves


def _unheard(news: object) -> None:
    """Nobody listens."""


class _Abandoned(Exception):
    """Told to end at once, whatever runs."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """Another configuration with all that it needs and that can fail; nothing has changed yet."""

    config: Config
    told: Reloaded
    tls: sections.Tls
    new: Sequence[ServerSide]
    doors: list[Door]


class App:
    """The running proxy. `serve` returns when it has been told to stop and everything is over."""

    def __init__(
        self,
        config: Config,
        herald: Herald,
        *,
        reread: Callable[[], Reading] | None = None,
        entered: Callable[[Phase], None] = _unheard,
        adopted: Callable[[Config], None] = _unheard,
        inherited: Sequence[socket.socket] = (),
        shares_port: bool = False,
        hatch: Hatch | None = None,
    ) -> None:
        self.config = config
        self.phase = Phase.STARTING
        self._entered, self._adopted = entered, adopted
        # Whoever looks on hears every event; nobody else pays for it.
        self._station = Station(herald, hatch) if config.status is not None else None
        self.announce = herald
        self._reread = reread
        self._reloading = asyncio.Lock()
        # Signals may come before it serves, and while it ends: what they ask for is kept.
        self._orders: asyncio.Queue[Agree | None] = asyncio.Queue()  # to reload
        self._stop, self._hurry = asyncio.Event(), asyncio.Event()
        self._abandoned = asyncio.Event()
        self.tls = sections.tls(config, herald)
        self.doors = Doors(self._greeter, inherited, is_shared=shares_port)
        self.rooms = rooms = Rooms(config, self.tls.servers, herald, self._spawn)
        self.roster, self.store = rooms.shared.roster, rooms.group.store
        self._swept_at = rooms.clock()

    @property
    def servers(self) -> tuple[ServerSide, ...]:
        """The servers there are, the nameless one first."""
        return tuple(server for server in self.rooms.servers if not server.is_over)

    # Life.

    async def serve(self, ready: Ready, *beside: Lasting) -> None:
        """Listen, tell `ready` where, and serve until told to stop; `beside` runs as long."""
        async with contextlib.AsyncExitStack() as belongings:
            belongings.callback(self.rooms.close_books)
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

    def drain(self) -> None:
        """End after the running transfers, however often it is asked for."""
        self._stop.set()

    def abandon(self) -> None:
        """End now; only the ledger is saved."""
        self._abandoned.set()

    @property
    def is_sound(self) -> bool:
        """Tell whether the loop keeps up and the books are in order: what a watchdog asks."""
        is_late = self.rooms.clock() - self._swept_at > 3 * SWEEP_EVERY
        return not is_late and all(egress.budget.adds_up for egress in self.rooms.egresses)

    async def _live(
        self, doors: list[Door], ready: Callable[[], None], beside: Sequence[Lasting]
    ) -> None:
        try:
            async with asyncio.TaskGroup() as life:
                watch = life.create_task(self._until_abandoned())
                await self._serve(doors, ready, beside)
                await self.rooms.group.leave()
                watch.cancel()
        except* _Abandoned as ends:
            raise _Abandoned from ends

    async def _until_abandoned(self) -> None:
        await self._abandoned.wait()
        raise _Abandoned

    async def _serve(
        self, doors: list[Door], ready: Callable[[], None], beside: Sequence[Lasting]
    ) -> None:
        rooms = self.rooms
        always = (self._sweep, self._obey, rooms.watch, rooms.group.keep_in_touch, *beside)
        async with asyncio.TaskGroup() as self._tasks:
            await self.doors.adopt(doors, self.config.listen)
            lasting = [self._tasks.create_task(one()) for one in always]
            self._enter(Phase.SERVING)
            ready()
            await self._stop.wait()
            await self._drain()
            for task in lasting:
                task.cancel()

    def _enter(self, phase: Phase) -> None:
        self.phase = phase
        self._entered(phase)

    def _greeter(self, listen: Listen) -> Greet:
        """Who knocks in the moment of a reload is still greeted by what stood there."""
        greet = partial(ClientChannel, partial(self._welcome, listen, self.tls.offers[listen]))
        if listen.proxy_protocol == "off":
            return greet
        return partial(
            HeaderFirst,
            greet,
            trusts=partial(is_within, listen.trusted),
            refused=lambda peer, why: self.announce(ProxyHeaderRefused(peer, why)),
        )

    def _welcome(self, listen: Listen, offer: TlsOffer, client: ClientChannel) -> None:
        try:
            self._let_in(listen, offer, client)
        except Exception as error:  # the loop would keep its socket for ever
            client.abort()
            self._tell_fault("door", error)

    def _let_in(self, listen: Listen, offer: TlsOffer, client: ClientChannel) -> None:
        is_turned = listen.transparent == "on"
        asked_for = wanted(client.fileno, client.local) if is_turned else None
        entrance = Entrance(listen.address, asked_for)
        session = Session(client, self.rooms.shared, entrance, offer)
        if self.phase is Phase.DRAINING:
            session.ask_to_leave()  # it came in the moment in which the door was closed
        self._spawn(session.run())

    def _spawn(self, work: Coroutine[Any, Any, object]) -> None:
        if self._abandoned.is_set():
            work.close()  # who is cut off may ask for it: nothing is begun any more
        else:
            self._tasks.create_task(self._guarded(work))

    async def _guarded(self, work: Coroutine[Any, Any, object]) -> None:
        """Keep one task's unexpected error from ending all the others."""
        try:
            await work
        except Exception as error:
            self._tell_fault(getattr(work, "__qualname__", "task"), error)

    def _tell_fault(self, place: str, error: Exception) -> None:
        self.announce(Fault(place, repr(error), traceback.format_exc()))

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY)
            self._swept_at = self.rooms.clock()
            for server in self.rooms.servers:
                server.sweep()

    async def _drain(self) -> None:
        """Let nobody in, let transfers end, say goodbye to the server."""
        timeouts, began = self.config.timeouts, self.rooms.clock()
        self._enter(Phase.STOPPING)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeouts.drain_lag):
                await self._hurry.wait()
        self.announce(DrainBegan(len(self.roster), timeouts.drain))
        self._enter(Phase.DRAINING)
        self.doors.close()
        self.rooms.admit_nobody()
        thrown_out = await self.roster.drain(timeouts.drain)
        await self.rooms.close()
        self.announce(DrainEnded(self.rooms.clock() - began, thrown_out))

    # Another configuration.

    def reload_soon(self, agree: Agree | None = None) -> None:
        """Begin a reload; its outcome is announced."""
        self._orders.put_nowait(agree)

    async def _obey(self) -> None:
        """Reload whenever that was asked for, one after the other."""
        while True:
            await self._guarded(self.reload(await self._orders.get()))

    async def reload(self, agree: Agree | None = None) -> Outcome:
        """Read the file anew and go on by it; or change nothing at all, and tell why.

        `agree` hears what would become of it here, and decides; None: that decides.
        """
        async with self._reloading:
            if self.phase is Phase.SERVING:
                self._enter(Phase.RELOADING)
            try:
                outcome = await self._reload(agree or _alone)
            finally:
                if self.phase is Phase.RELOADING:
                    self._enter(Phase.SERVING)
        self.announce(outcome)
        return outcome

    async def _reload(self, agree: Agree) -> Outcome:
        with contextlib.ExitStack() as undo:
            try:
                prepared = await self._prepare(undo)
            except Exception as error:  # nobody foresaw it: others shall not wait for our answer
                self._tell_fault("reload", error)
                prepared = ReloadRefused((FAULT,))
            if isinstance(prepared, ReloadRefused):
                return await agree(prepared)
            outcome = await agree(prepared.told)
            if self._stop.is_set():
                return ReloadRefused((STOPPING,))
            if isinstance(outcome, Reloaded):
                undo.pop_all()
                await self._adopt(prepared)
            return outcome

    async def _prepare(self, undo: contextlib.ExitStack) -> _Prepared | ReloadRefused:
        """Do what can fail, and what `undo` can undo."""
        if self._reread is None:
            return ReloadRefused((NO_FILE,))
        # Not in the loop: it would hold up every transfer for as long as the file takes.
        reading = await asyncio.to_thread(self._reread)
        if self._stop.is_set():
            return ReloadRefused((STOPPING,))
        told = tuple(str(problem) for problem in reading.problems)
        if (config := reading.config) is None:
            return ReloadRefused(told)
        if rigid := tuple(self.rooms.rigid(config, reading.document)):
            return ReloadRefused(rigid)
        try:
            tls = sections.tls(config, self.announce, self.tls)
            new = self.rooms.build_new(config, tls.servers)
            for server in new:
                undo.callback(server.close_books)
            doors = self.doors.bind(config.listen)
        except (BadCertificate, CannotListen, JournalError) as problem:
            return ReloadRefused((str(problem),))
        undo.callback(self.doors.abandon, doors)
        return _Prepared(config, Reloaded(changed_keys(self.config, config), told), tls, new, doors)

    async def _adopt(self, prepared: _Prepared) -> None:
        """Go on by another configuration. Nothing here can fail."""
        config, tls = prepared.config, prepared.tls
        self.config, self.tls = config, tls
        self.rooms.adopt(config, prepared.told.changed, tls.servers, prepared.new)
        self._adopted(config)
        await self.doors.adopt(prepared.doors, config.listen)


async def _alone(outcome: Outcome) -> Outcome:
    """Nobody else is asked."""
    return outcome
