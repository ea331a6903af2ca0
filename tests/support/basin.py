"""The upstream pool before a scripted server, without clients; the test turns the pool's clock."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

from proxy.events import Event
from proxy.ftp.virtual import State
from proxy.shaping.holds import explicit
from proxy.shaping.tolerance import Tolerance
from proxy.store.budget import Budget
from proxy.upstream.dial import Dialer, Patience
from proxy.upstream.egress import Egress
from proxy.upstream.fleet import Fleet, Server, Spread
from proxy.upstream.ground import Ground
from proxy.upstream.health import Health
from proxy.upstream.identity import Credentials
from proxy.upstream.lease import Lease
from proxy.upstream.limits import PoolLimits
from proxy.upstream.order import Order
from proxy.upstream.pool import Pool
from proxy.upstream.seat import Seat

from .raw_client import patiently
from .scripted import Scripted

ALICE = Credentials(b"alice", b"secret")
BOB = Credentials(b"bob", b"builder")
QUICK = Patience(connect=2.0, login=2.0, reply=2.0)


class Basin:
    """A pool with everything it needs."""

    def __init__(
        self,
        server: Scripted,
        tasks: asyncio.TaskGroup,
        limits: PoolLimits,
        budget: int,
        hold: float,
        order: Order,
    ) -> None:
        self.now = 1000.0
        self.server = server
        self._host, self._limits = server.host, limits
        self.events: list[Event] = []
        self.budget = Budget(
            Tolerance(budget, explicit(hold)),
            clock=self.clock,
            announce=self.events.append,
        )
        self.pool = Pool(
            Dialer(server.host, server.port, QUICK),
            limits,
            Ground(clock=self.clock, announce=self.events.append, spawn=tasks.create_task),
            budget=self.budget,
            order=order,
        )
        behind = Server("ftp:21", (Egress(None, self.budget, self.pool),), Health(0.0))
        self.fleet = Fleet(
            [behind], Spread.FAILOVER, hung=10.0, clock=self.clock, announce=self.events.append
        )
        self._room = asyncio.Event()
        self.pool.serve(self._room.set, lambda: (0, 1.0))

    def clock(self) -> float:
        return self.now

    def adopt(self, port: int, sessions: int | None = None, *, renew: bool = False) -> None:
        """Have the pool go on with the server at this port, and so many sessions."""
        limits = self._limits
        if sessions is not None:
            limits = replace(limits, sessions=sessions)
        self.pool.adopt(Dialer(self._host, port, QUICK), limits, renew=renew)

    def go_on_with(self, dialer: Dialer) -> None:
        """Have the pool open its sessions by this one."""
        self.pool.adopt(dialer, self._limits, renew=False)

    async def lease(
        self, who: Credentials = ALICE, wanted: State | None = None, *, verify: bool = False
    ) -> Lease:
        """Take a seat that must be there, and make it a lease."""
        seat = self.pool.take(who.key(), wanted, verify=verify)
        assert isinstance(seat, Seat)
        return await self.pool.ready(seat, who)

    async def until(self, true: Callable[[], object]) -> None:
        """Return once `true()` is, asked again whenever the pool says that there is room."""
        async with patiently():
            while not true():
                self._room.clear()
                await self._room.wait()

    def told(self, kind: type[Event]) -> list[Any]:
        """Return the events of one kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def uses(self) -> list[str]:
        """What each seat is doing."""
        return [seat.use.name for seat in self.pool.seats]


@contextlib.asynccontextmanager
async def basin(
    server: Scripted,
    *,
    sessions: int = 2,
    lifetime: float = 3600.0,
    idle: float = 600.0,
    login_memory: float = 600.0,
    budget: int = 100,
    hold: float = 0.0,
    order: Order | None = None,
) -> AsyncIterator[Basin]:
    """Run a pool for the length of the block; afterwards nothing of it is left."""
    limits = PoolLimits(
        sessions=sessions, lifetime=lifetime, idle=idle, login_memory=login_memory, outage=0.0
    )
    async with asyncio.TaskGroup() as tasks:
        one = Basin(server, tasks, limits, budget, hold, order or Order("off"))
        yield one
        async with patiently():
            await one.pool.close()
    assert one.pool.seats == ()
    assert one.budget.open == 0
    assert server.most <= sessions
