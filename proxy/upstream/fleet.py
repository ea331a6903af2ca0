"""The servers behind us: which of them is up, and which ways a request may take. Opens nothing.

A way is one server reached from one address of ours. With a single server there is nothing to
choose and nobody to watch: whether it is up, its dials tell those who wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from hashlib import blake2b
from itertools import chain
from math import log

from proxy.events import Announce, ServerDown, ServerUp
from proxy.refusals import Reason

from .dial import Busy, DialError
from .egress import Egress
from .health import Health
from .hush import Hush
from .identity import LoginKey
from .knock import knock
from .session import UpstreamSession

LOOK_EVERY = 0.5  # seconds between two looks at a server that is down, or may hang


class Spread(Enum):
    """How several servers share the work."""

    FAILOVER = "failover"  # all of it goes to the first that is up
    LEAST_LOADED = "least-loaded"
    BY_USER = "by-user"  # a user stays with one server for as long as that is up


@dataclass(slots=True, eq=False)
class Server:
    """One server, and the ways to it."""

    name: str  # host:port
    ways: tuple[Egress, ...]
    health: Health
    weight: float = 1.0  # its share of the work, where several are used
    hush: Hush = field(default_factory=Hush)

    @property
    def sessions(self) -> Iterator[UpstreamSession]:
        """All there are with it now."""
        return chain.from_iterable(way.pool.sessions for way in self.ways)

    def silence(self, now: float) -> float:
        """Return for how many seconds it has answered nobody, though it was asked."""
        replies = sum(sum(way.pool.dialer.replies) for way in self.ways)
        is_asked = any(session.is_asked for session in self.sessions)
        return self.hush.lasts(now, replies, is_asked=is_asked)


class Fleet:
    """All servers, in the order of preference; `current` are the ways that are in use now."""

    def __init__(
        self,
        servers: Sequence[Server],
        spread: Spread,
        *,
        hung: float,
        clock: Callable[[], float],
        announce: Announce,
    ) -> None:
        self.servers = tuple(servers)
        self.ways = tuple(way for server in servers for way in server.ways)
        self.spread = spread
        self.hung = hung  # seconds
        self._clock = clock
        self._announce = announce
        self.is_wanted = True  # else only who is still there uses it: those down are not asked
        self._moved: list[Callable[[], None]] = []
        self.current: tuple[Egress, ...] = ()
        if len(self.servers) > 1:
            for server in self.servers:
                for way in server.ways:
                    way.pool.troubles.when_dialled(partial(self._heard, server))
        self._choose()

    def adopt(self, spread: Spread, *, failback: float, hung: float) -> None:
        """Go on by other rules."""
        self.spread, self.hung = spread, hung
        for server in self.servers:
            server.health.failback = failback
        self._choose()

    def when_moved(self, call: Callable[[], None]) -> None:
        """Call this whenever other ways are in use than before."""
        self._moved.append(call)

    # What the gate asks.

    def open_to(self, key: LoginKey | None) -> Sequence[Egress]:
        """Which ways a login may take, the best first."""
        ways = self.current
        if len(ways) == 1:
            return ways
        match self.spread:
            case Spread.LEAST_LOADED:
                return self._by_load()
            case Spread.BY_USER if key is not None:
                ways = self._home_of(key.user)
        return sorted(ways, key=lambda way: -way.free)

    @property
    def trouble(self) -> DialError | None:
        """The error that keeps us from every way in use, while it is fresh."""
        first = None
        for way in self.current:
            trouble = way.pool.trouble
            if trouble is None or way.pool.has_room:
                return None
            first = first or trouble
        return first

    @property
    def outage(self) -> DialError | None:
        """The error for which nobody need wait: none of ours is left there, and no restart takes
        so long."""
        trouble = self.trouble
        if trouble is None or not trouble.is_outage or trouble.may_pass:
            return None
        return None if any(way.pool.places.let_in() for way in self.current) else trouble

    def is_left(self, way: Egress) -> bool:
        """Tell whether another server, which is up, is used instead of this one."""
        return way not in self.current and any(server.health.is_up for server in self.servers)

    def uses(self, server: Server) -> bool:
        """Tell whether new sessions are opened with this one."""
        return server.ways[0] in self.current

    def state_of(self, server: Server) -> str:
        """Say in a word what becomes of this one."""
        if not self.is_wanted:
            return "removed"
        if not server.health.is_up:
            return "down"
        return "in use" if self.uses(server) else "standby"

    def has_another(self, server: Server) -> bool:
        """Tell whether nobody need be patient with this server."""
        return any(other.health.is_up for other in self.servers if other is not server)

    # What goes on beside.

    async def watch(self) -> None:
        """Ask those servers that are down, and leave those that hang, for ever; one server needs no
        watching."""
        if len(self.servers) > 1:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen())
                for server in self.servers:
                    tasks.create_task(self._watch(server))

    async def _watch(self, server: Server) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if server.health.is_up:
                continue
            for way in server.ways:
                way.pool.send_home("server is down")
            if self.is_wanted and self._clock() >= server.health.ask_at:
                await self._ask(server)

    async def _listen(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            for server in self.servers:
                self._leave_if_silent(server)

    def _leave_if_silent(self, server: Server) -> None:
        """Leave a server that answers nobody; twice as long, and nobody waits for it any more."""
        silence = server.silence(self._clock())
        if silence < self.hung or not self.has_another(server):
            return
        if server.health.is_up:
            words = f"it has answered nobody for {self.hung:g} s"
            self._heard(server, DialError(Reason.UPSTREAM_SILENT, words, "timeouts.hung"))
        elif silence >= 2 * self.hung:
            for session in server.sessions:
                session.forsake()

    async def _ask(self, server: Server) -> None:
        for way in server.ways:
            try:
                was_there = await knock(way, self._clock())
            except DialError as problem:
                self._heard(server, None if isinstance(problem, Busy) else problem)
                return
            if was_there:
                self._heard(server, None)
                return

    def _heard(self, server: Server, problem: DialError | None) -> None:
        """A dial went well, or met a problem."""
        health, now = server.health, self._clock()
        if problem is not None:
            if health.failed(now):
                self._announce(ServerDown(server.name, problem.words))
                for session in server.sessions:
                    session.doubt()
        elif (away := health.answered(now, is_needed=not self.has_another(server))) is not None:
            self._announce(ServerUp(server.name, away))
            for session in server.sessions:
                session.trust()
        self._choose()

    def _choose(self) -> None:
        """Use those that are up; when none is, the one that failed longest ago."""
        usable = [server for server in self.servers if server.health.is_up]
        if not usable:
            usable = [min(self.servers, key=lambda server: server.health.failed_at)]
        if self.spread is Spread.FAILOVER:
            usable = usable[:1]
        before, self.current = self.current, tuple(way for one in usable for way in one.ways)
        if before and before != self.current:
            for call in self._moved:
                call()

    def _by_load(self) -> list[Egress]:
        here = [(server, way) for server in self._in_use for way in server.ways]
        # Of those that do nothing the one that shall do most begins.
        here.sort(key=lambda one: (_load(one[1]) / one[0].weight, -one[0].weight))
        return [way for _, way in here]

    def _home_of(self, user: bytes) -> tuple[Egress, ...]:
        """Return the ways to this user's server: the same one in every process, and when another
        server comes or goes only its own users move."""
        return max(self._in_use, key=lambda server: _score(server, user)).ways

    @property
    def _in_use(self) -> list[Server]:
        return [server for server in self.servers if self.uses(server)]


def _score(server: Server, user: bytes) -> float:
    """Tell how much a server is this user's: the highest of all wins as often as weights say.

    Weighted rendezvous hashing: a number between 0 and 1 that is the same everywhere, to the power
    of 1/weight, here by its logarithm.
    """
    digest = blake2b(server.name.encode() + b"\0" + user).digest()[:6]
    return log((int.from_bytes(digest) + 0.5) / 2**48) / server.weight


def _load(way: Egress) -> float:
    """How much of what a way allows is in use: sessions or slots, whichever is scarcer."""
    return max(way.pool.places.busy / way.pool.places.limit, way.budget.taken / way.budget.limit)
