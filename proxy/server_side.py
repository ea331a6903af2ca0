"""Builds all that belongs to one server, and hands each part its share of another configuration.

What belongs to the clients, whichever server they are for, is in rooms.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from proxy import sections
from proxy.config import Config, Effect, effect_of
from proxy.events import (
    Announce,
    BanSuspected,
    Event,
    UpstreamOpened,
    UpstreamRefused,
)
from proxy.exchange.listings import Listings
from proxy.gate.gate import Gate
from proxy.net.throttle import Throttle
from proxy.session.backend import Backend, Rules
from proxy.store.caps import Caps
from proxy.upstream.habits import Habits
from proxy.upstream.reach import Reach
from proxy.upstream.server_tls import ServerTls
from proxy.ways import CommonGround, Ways


class ServerSide:
    """One server. `config` is what it would have if it were the only one."""

    def __init__(
        self, name: str, config: Config, tls: Sequence[ServerTls | None], ground: CommonGround
    ) -> None:
        self.name = name
        self.config = config
        if name:
            ground = replace(ground, announce=partial(_announce_of, name, ground.announce))
        self._replays = ground.replays
        self._ways = Ways(name, config, tls, ground)
        self._is_retired = False
        self.fleet = self._ways.fleet
        self.egresses = self.fleet.ways
        self._listings = Listings(sections.listing_ways(config))
        self._habits, self._reach = self._nothing_learned()
        self.gate = Gate(
            fleet=self.fleet,
            max_wait=config.queue.max_wait,
            max_length=config.queue.max_length,
            clock=ground.clock,
            caps=Caps(ground.group.store, ground.clock, name),
        )
        self.backend = Backend(
            name=name,
            gate=self.gate,
            throttle=Throttle(config.upstream.bandwidth, ground.clock),
            rules=self._rules(),
        )
        self.fleet.when_moved(self._learn_anew)

    def join(self) -> None:
        """Share what it has with other instances from now on: it is in use."""
        for share in self._ways.shares:
            share.begin()

    def adopt(
        self, config: Config, changed: Sequence[str], tls: Sequence[ServerTls | None]
    ) -> None:
        """Go on by another configuration, of which those keys differ. Cannot fail."""
        # What only concerns new sessions with the server is no reason to end those in order.
        renew = any(effect_of(key) is Effect.NEW_UPSTREAM for key in changed)
        relearn = renew or "upstream.pipelining" in changed
        self._is_retired, self.fleet.is_wanted = False, True
        self.join()
        self.config = config
        self._ways.adopt(config, tls, renew=renew, relearn=relearn)
        self._listings.adopt(sections.listing_ways(config))
        if renew or "upstream.data" in changed:
            self._learn_anew()
        self.backend.rules = self._rules()
        self.backend.throttle.limit_total(config.upstream.bandwidth)
        # Last, for it lets those go on who may now.
        self.gate.adopt(max_wait=config.queue.max_wait, max_length=config.queue.max_length)

    @property
    def settled(self) -> Mapping[str, str]:
        """Which keys a start settles, and why."""
        if self._ways.began_off:
            return {"budget.enforce": "it began as off, without the state file"}
        return {}

    @property
    def is_over(self) -> bool:
        """Tell whether nothing is left of it but its name."""
        return self._is_retired and not self.is_remembered

    @property
    def is_remembered(self) -> bool:
        """Tell whether its firewall still counts connections of ours."""
        return any(egress.budget.used for egress in self.egresses)

    @property
    def longest_hold(self) -> float:
        """For how long its firewall remembers a connection at most."""
        return max(egress.budget.longest_hold for egress in self.egresses)

    def sweep(self) -> None:
        """Close what has been idle or lived for too long; share no more once nothing is left."""
        for egress in self.egresses:
            egress.pool.sweep()
        if self.is_over:
            for share in self._ways.shares:
                share.drop()

    def retire(self) -> None:
        """No client chooses it any more: what they leave is closed, what cools goes on cooling."""
        self._is_retired, self.fleet.is_wanted = True, False
        for egress in self.egresses:
            egress.pool.send_home("server removed")
        self.sweep()

    def cut(self) -> None:
        """End every connection with it at once."""
        for egress in self.egresses:
            egress.pool.cut()

    async def close(self) -> None:
        """Say goodbye to it: no client is left."""
        for egress in self.egresses:
            await egress.pool.close()

    def close_books(self) -> None:
        """Write down what its firewall still remembers, and no more."""
        for egress in self.egresses:
            egress.budget.close()

    def _learn_anew(self) -> None:
        """Another machine is at work, or is asked otherwise: what was learned is of no use."""
        self._habits, self._reach = self._nothing_learned()
        self._listings.learn_anew()
        self.backend.rules = self._rules()

    def _nothing_learned(self) -> tuple[Habits, Reach]:
        return Habits(), Reach(self.config.upstream.data, self._ways.order)

    def _rules(self) -> Rules:
        """Say what the sessions go by: what is configured and learned now."""
        config = self.config
        return Rules(
            exchange=sections.exchange_rules(config, self._habits, self._reach, self._replays),
            listings=self._listings if sections.listing_ways(config) else None,
            keeps_session=sections.keeps_session(config),
            site_harmless=sections.site_harmless(config),
        )


def _announce_of(server: str, announce: Announce, event: Event) -> None:
    """Announce with the server's name what does not know of others."""
    match event:
        case UpstreamOpened() | UpstreamRefused() | BanSuspected():
            event = replace(event, server=server)
        case _:
            pass
    announce(event)
