"""Builds the ways to the servers, and hands them another configuration after a reload.

A way is one server reached from one address of ours; firewalls and servers count each by itself, so
each has a budget, a state file and a pool of sessions of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from proxy import sections
from proxy.config import Config
from proxy.net.replay import ReplayMemory
from proxy.store.budget import Budget
from proxy.store.group import Group
from proxy.store.journal import Journal
from proxy.store.share import Share
from proxy.upstream.dial import Dialer
from proxy.upstream.egress import Egress
from proxy.upstream.fleet import Fleet, Server
from proxy.upstream.ground import Ground
from proxy.upstream.health import Health
from proxy.upstream.order import Order
from proxy.upstream.pool import Pool
from proxy.upstream.server_tls import ServerTls


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonGround(Ground):
    """What all servers are built upon."""

    group: Group
    replays: ReplayMemory


class Ways:
    """The fleet of one server, and what its parts are built from."""

    def __init__(
        self,
        name: str,
        config: Config,
        tls: Sequence[ServerTls | None],
        ground: CommonGround,
    ) -> None:
        self._name = name
        self._config = config
        self._tls = tls
        self._ground = ground
        keeps_none = config.state is None or config.budget.enforce == "off"
        self._state = None if keeps_none else config.state
        # The budget was off at the start: the state file that is named has not been opened.
        self.began_off = keeps_none and config.state is not None
        self.shares: list[Share] = []  # what other instances have of it, too
        servers = range(len(config.upstream.servers))
        # What is learned of one server says nothing of another.
        self._orders = [Order(config.upstream.pipelining) for _ in servers]
        with ExitStack() as undo:  # one whose file cannot be used leaves none of the others open
            self.fleet = Fleet(
                [self._server(number, undo) for number in servers],
                sections.spread(config),
                hung=config.timeouts.hung,
                clock=ground.clock,
                announce=ground.announce,
            )
            undo.pop_all()

    @property
    def order(self) -> Order:
        """The order in which the server in use obeys; where several are, nothing runs ahead."""
        pairs = zip(self._orders, self.fleet.servers, strict=True)
        in_use = [order for order, server in pairs if self.fleet.uses(server)]
        return in_use[0] if len(in_use) == 1 else Order("off")

    def adopt(
        self, config: Config, tls: Sequence[ServerTls | None], *, renew: bool, relearn: bool
    ) -> None:
        """Go on by another configuration; with `renew` no session in order is lent again, with
        `relearn` forget which servers obey in order."""
        self._config, self._tls = config, tls
        for number, server in enumerate(self.fleet.servers):
            if relearn:
                self._orders[number].adopt(config.upstream.pipelining)
            server.name = str(config.upstream.servers[number])
            server.weight = config.upstream.weights[number]
            for way in server.ways:
                way.budget.adopt(sections.tolerance(config))
                dialer = self._dialer(number, way.address)
                way.pool.adopt(dialer, sections.limits(config), renew=renew)
        timeouts = config.timeouts
        self.fleet.adopt(sections.spread(config), failback=timeouts.failback, hung=timeouts.hung)

    def _server(self, number: int, undo: ExitStack) -> Server:
        upstream = self._config.upstream
        sources = upstream.source_addresses or (None,)
        ways = [self._way(number, source, undo) for source in sources]
        health = Health(self._config.timeouts.failback)
        name, weight = str(upstream.servers[number]), upstream.weights[number]
        return Server(name, tuple(ways), health, weight)

    def _way(self, server: int, source: str | None, undo: ExitStack) -> Egress:
        config, ground = self._config, self._ground
        place = config.upstream.name_of(server, source)
        name = way_name(self._name, place)
        slots, seats = ground.group.slots(name), ground.group.seats(name)
        self.shares += [share for share in (slots, seats) if share is not None]
        budget = Budget(
            sections.tolerance(config),
            clock=ground.clock,
            announce=ground.announce,
            journal=self._journal(place),
            share=slots,
        )
        undo.callback(budget.close)
        pool = Pool(
            self._dialer(server, source),
            sections.limits(config),
            ground,
            budget=budget,
            share=seats,
            order=self._orders[server],
        )
        return Egress(source, budget, pool, name)

    def _journal(self, place: str) -> Journal | None:
        if self._state is None:
            return None
        path = f"{self._state}.{place}" if place else self._state
        rows = self._config.budget.limit
        return Journal(Path(path), now=self._ground.clock(), rows=rows)

    def _dialer(self, server: int, source: str | None) -> Dialer:
        is_hurried = partial(self._has_another, server)
        return sections.dialer(self._config, source, server, self._tls[server], is_hurried)

    def _has_another(self, server: int) -> bool:
        """Tell whether nobody need be patient with this server; asked once the fleet stands."""
        return self.fleet.has_another(self.fleet.servers[server])


def way_name(server: str, place: str) -> str:
    """Name a way in metrics and in the store; the only one has no name."""
    return "/".join(part for part in (server, place) if part)
