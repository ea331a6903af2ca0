"""Builds every room from Config, in order, and hands each its part of another one at a reload.

What each is handed stands in sections.py; who opens doors and lives in the rooms is app.py.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from proxy import sections
from proxy.classes import classifier
from proxy.config import Config, Effect, PortRange, effect_of
from proxy.events import Announce
from proxy.machine import raise_descriptor_limit
from proxy.net.listener import ListenerPool
from proxy.net.replay import ReplayMemory
from proxy.net.throttle import Throttle
from proxy.session.exchange_rules import ExchangeRules
from proxy.session.gate import Gate
from proxy.session.roster import Roster
from proxy.session.shared import Shared
from proxy.shaping.attempts import Attempts
from proxy.store.group import Group
from proxy.upstream.habits import Habits
from proxy.upstream.reach import Reach
from proxy.upstream.server_tls import ServerTls
from proxy.ways import Ways

# Left for data connections, pipes and the server when clients take all other descriptors.
SPARE_DESCRIPTORS = 128
KEPT_PORTS = 8  # one in so many descriptors may be a listener that nobody uses now

# What a change of these would make wrong is what was learned of listings.
LISTING_KEYS = {"upstream.list_by_stat", "upstream.share_listings", "queue.max_wait"}

Spawn = Callable[[Coroutine[Any, Any, object]], object]


class Rooms:
    """Everything between the doors and the servers. `clock` is the one that all go by."""

    def __init__(
        self,
        config: Config,
        tls: Sequence[ServerTls | None],
        announce: Announce,
        spawn: Spawn,
    ) -> None:
        self.clock = time.monotonic
        self._config = config
        self._descriptors = raise_descriptor_limit()
        self.replays = ReplayMemory(config.heal.upload_memory)
        self.group = Group(config, clock=self.clock, announce=announce)
        self._ways = Ways(
            config, tls, group=self.group, clock=self.clock, announce=announce, spawn=spawn
        )
        self.has_ledger = self._ways.has_ledger
        self.fleet = self._ways.fleet
        self.egresses = self.fleet.ways
        self._habits = Habits()
        self._reach = Reach(config.upstream.data, self._ways.order)
        self.gate = Gate(
            fleet=self.fleet,
            max_wait=config.queue.max_wait,
            max_length=config.queue.max_length,
            clock=self.clock,
            store=self.group.store,
        )
        self.shared = Shared(
            gate=self.gate,
            roster=Roster(),
            attempts=Attempts(config.login.remember),
            passive_ports=self._ports(config.passive.ports),
            upstream_ports=self._ports(config.upstream.ports, rest=self._port_rest),
            throttle=Throttle(config.upstream.bandwidth, self.clock),
            exchange_rules=self._exchange_rules(config),
            listings=sections.listings(config),
            manners=sections.manners(config, self._descriptors - SPARE_DESCRIPTORS),
            classify=classifier(config.clients),
            new_ref=_new_ref,
            clock=self.clock,
            announce=announce,
        )
        self.fleet.when_moved(self._learn_anew)
        self.group.when_cut_off(self.cut)

    def adopt(
        self, config: Config, changed: Sequence[str], tls: Sequence[ServerTls | None]
    ) -> None:
        """Go on by another configuration. Nothing here can fail: what can has been done before."""
        # What only concerns new sessions with the server is no reason to end those in order.
        renew = any(effect_of(key) is Effect.NEW_UPSTREAM for key in changed)
        relearn = renew or "upstream.pipelining" in changed
        self._config = config
        self._ways.adopt(config, tls, renew=renew, relearn=relearn)
        if renew:
            self._habits = Habits()
        if renew or "upstream.data" in changed:
            self._reach = Reach(config.upstream.data, self._ways.order)
        shared, passive, upstream = self.shared, config.passive.ports, config.upstream.ports
        shared.passive_ports.adopt(passive.first, passive.last, rest=0.0)
        shared.upstream_ports.adopt(upstream.first, upstream.last, rest=self._port_rest)
        shared.throttle.limit_total(config.upstream.bandwidth)
        shared.attempts.memory = config.login.remember
        self.replays.most = config.heal.upload_memory
        shared.exchange_rules = self._exchange_rules(config)
        shared.manners = sections.manners(config, self._descriptors - SPARE_DESCRIPTORS)
        if renew or LISTING_KEYS & set(changed):
            shared.listings = sections.listings(config)
        if "clients" in changed:
            shared.classify = classifier(config.clients)
        # Last, for it lets those go on who may now.
        self.gate.adopt(max_wait=config.queue.max_wait, max_length=config.queue.max_length)

    def cut(self) -> None:
        """End every connection at once."""
        self.shared.roster.throw_out()
        for egress in self.egresses:
            egress.pool.cut()

    async def close(self) -> None:
        """Say goodbye to the server and give up the ports: every client has left."""
        for egress in self.egresses:
            await egress.pool.close()
        self.shared.passive_ports.close()
        self.shared.upstream_ports.close()

    def _learn_anew(self) -> None:
        """Other servers are at work: what was learned of the last ones is of no use."""
        config = self._config
        self._habits = Habits()
        self._reach = Reach(config.upstream.data, self._ways.order)
        self.shared.exchange_rules = self._exchange_rules(config)
        self.shared.listings = sections.listings(config)

    def _exchange_rules(self, config: Config) -> ExchangeRules:
        return sections.exchange_rules(config, self._habits, self._reach, self.replays)

    @property
    def _port_rest(self) -> float:
        """A port offered to the server rests as long as the firewall remembers its connection."""
        return max(egress.budget.longest_hold for egress in self.egresses)

    def _ports(self, ports: PortRange, rest: float = 0.0) -> ListenerPool:
        return ListenerPool(
            ports.first,
            ports.last,
            clock=self.clock,
            chance=random.SystemRandom(),
            rest=rest,
            keep=self._descriptors // KEPT_PORTS,
        )


def _new_ref() -> str:
    """Return a reference short enough to read out on the telephone."""
    return secrets.token_hex(3)
