"""Builds every room from Config, in order, and hands each its part of another one at a reload.

What belongs to one server is built in server_side.py, what each is handed stands in sections.py;
who opens doors and lives in the rooms is app.py.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from typing import Any

from proxy import sections
from proxy.choice import chooser
from proxy.classes import classifier
from proxy.config import Config, PortRange, changed_keys, rigid_changes
from proxy.config.document import Document
from proxy.events import Announce
from proxy.machine import raise_descriptor_limit
from proxy.net.listener import ListenerPool
from proxy.net.replay import ReplayMemory
from proxy.server_side import ServerSide
from proxy.session.backend import Backend, Choose, Entrance
from proxy.session.roster import Roster
from proxy.session.shared import Shared
from proxy.shaping.attempts import Attempts
from proxy.store.caps import Caps
from proxy.store.group import Group
from proxy.upstream.egress import Egress
from proxy.upstream.server_tls import ServerTls
from proxy.ways import CommonGround

# Left for data connections, pipes and the server when clients take all other descriptors.
SPARE_DESCRIPTORS = 128
KEPT_PORTS = 8  # one in so many descriptors may be a listener that nobody uses now

Spawn = Callable[[Coroutine[Any, Any, object]], object]
TlsOfServers = Mapping[str, Sequence[ServerTls | None]]


class Rooms:
    """Everything between the doors and the servers. `clock` is the one that all go by."""

    def __init__(self, config: Config, tls: TlsOfServers, announce: Announce, spawn: Spawn) -> None:
        self.clock = time.monotonic
        self._descriptors = raise_descriptor_limit()
        self.replays = ReplayMemory(config.heal.upload_memory)
        self.group = Group(
            sections.membership(config), clock=self.clock, announce=announce, cut=self.cut
        )
        self._ground = CommonGround(
            clock=self.clock,
            announce=announce,
            spawn=spawn,
            group=self.group,
            replays=self.replays,
        )
        # By name. One that was removed stays, without sessions: its firewall has not forgotten us.
        self._sides: dict[str, ServerSide] = {}
        self._watching: asyncio.TaskGroup | None = None
        self._add(self.build_new(config, tls))
        self.shared = Shared(
            roster=Roster(),
            caps=Caps(self.group.store, self.clock),
            attempts=Attempts(config.login.remember),
            passive_ports=self._ports(config.passive.ports),
            upstream_ports=self._ports(config.upstream.ports, rest=self._port_rest),
            manners=sections.manners(config, for_clients(self._descriptors)),
            classify=classifier(config.clients),
            choose=self._chooser(config),
            new_ref=_new_ref,
            clock=self.clock,
            announce=announce,
        )

    @property
    def servers(self) -> tuple[ServerSide, ...]:
        """Every server, the nameless one first."""
        return tuple(self._sides.values())

    @property
    def egresses(self) -> tuple[Egress, ...]:
        """Every way to every server."""
        return tuple(egress for server in self.servers for egress in server.egresses)

    # Another configuration.

    def rigid(self, config: Config, document: Document | None) -> Iterator[str]:
        """Tell, each with its place, the changes that only a restart can make."""
        for name, place in config.server_places.items():
            if (known := self._sides.get(name)) is not None:
                changed: Iterable[str] = changed_keys(known.config, config.by_server[name])
                if name:  # the rest belongs to all of them
                    changed = (key for key in changed if key.startswith(("upstream.", "budget.")))
                settled = known.settled if name else {**known.settled, **_settled(known.config)}
                yield from rigid_changes(changed, document, settled=settled, place=place)
            elif (removed := self._counted_elsewhere(config, name)) is not None:
                told = (document or Document("configuration")).problem
                words = (
                    f"connections with it still count as those of {removed!r}: keep that name, or "
                    "take the server out until they are forgotten"
                )
                yield str(told((*place, "name"), words))

    def build_new(self, config: Config, tls: TlsOfServers) -> list[ServerSide]:
        """Build the servers that are not known yet; raise JournalError before anything changes."""
        built: list[ServerSide] = []
        try:
            for name, its_own in config.by_server.items():
                if name not in self._sides:
                    built.append(ServerSide(name, its_own, tls[name], self._ground))
        except BaseException:
            for side in built:
                side.close_books()
            raise
        return built

    def adopt(
        self,
        config: Config,
        changed: Sequence[str],
        tls: TlsOfServers,
        new: Sequence[ServerSide],
    ) -> None:
        """Go on by another configuration. Nothing here can fail: what can has been done before."""
        for name, its_own in config.by_server.items():
            if (known := self._sides.get(name)) is not None:
                known.adopt(its_own, changed_keys(known.config, its_own), tls[name])
        self._add(new)
        for name in self._sides.keys() - config.by_server.keys():
            self._sides[name].retire()
        shared, passive, upstream = self.shared, config.passive.ports, config.upstream.ports
        shared.passive_ports.adopt(passive.first, passive.last, rest=0.0)
        shared.upstream_ports.adopt(upstream.first, upstream.last, rest=self._port_rest)
        shared.attempts.memory = config.login.remember
        self.replays.most = config.heal.upload_memory
        shared.manners = sections.manners(config, for_clients(self._descriptors))
        shared.choose = self._chooser(config)
        if "clients" in changed:
            shared.classify = classifier(config.clients)

    # Life.

    async def watch(self) -> None:
        """Ask those machines that are down, for ever, of servers added later too."""
        async with asyncio.TaskGroup() as self._watching:
            for side in self.servers:
                self._watching.create_task(side.fleet.watch())
            await asyncio.Event().wait()

    def cut(self) -> None:
        """End every connection at once."""
        self.shared.roster.throw_out()
        for side in self.servers:
            side.cut()

    def admit_nobody(self) -> None:
        """Turn away everybody who waits."""
        for side in self.servers:
            side.gate.close()

    async def close(self) -> None:
        """Say goodbye to the servers and give up the ports: every client has left."""
        for side in self.servers:
            await side.close()
        self.shared.passive_ports.close()
        self.shared.upstream_ports.close()

    def close_books(self) -> None:
        """Write down what the firewalls still remember, and no more."""
        for side in self.servers:
            side.close_books()

    # The parts.

    def _counted_elsewhere(self, config: Config, name: str) -> str | None:
        """Return the name under which a server was removed whose firewall has not forgotten us."""
        new = config.by_server[name]
        for side in self.servers:
            is_the_same = set(side.config.upstream.servers) & set(new.upstream.servers)
            if side.name not in config.by_server and is_the_same and side.is_remembered:
                return side.name if new.budget.enforce == "on" else None
        return None

    def _add(self, sides: Sequence[ServerSide]) -> None:
        for side in sides:
            self._sides[side.name] = side
            side.join()
            if self._watching is not None:
                self._watching.create_task(side.fleet.watch())

    def _chooser(self, config: Config) -> Choose:
        name_of = chooser(config.servers, config.upstream.host)

        def choose(entrance: Entrance, user: bytes) -> tuple[Backend, bytes]:
            server, name = name_of(entrance, user)
            return self._sides[server].backend, name

        return choose

    @property
    def _port_rest(self) -> float:
        """A port offered to a server rests as long as a firewall remembers its connection."""
        return max(side.longest_hold for side in self.servers)

    def _ports(self, ports: PortRange, rest: float = 0.0) -> ListenerPool:
        return ListenerPool(
            ports.first,
            ports.last,
            clock=self.clock,
            chance=random.SystemRandom(),
            rest=rest,
            keep=self._descriptors // KEPT_PORTS,
        )


def for_clients(descriptors: int) -> int:
    """Tell how many of so many descriptors newcomers may take: half of them where there are few."""
    return descriptors - min(SPARE_DESCRIPTORS, descriptors // 2)


def _settled(config: Config) -> Mapping[str, str]:
    """Which keys of the top level the start of a group settles, and why."""
    if config.store is None or config.sharing.group:
        return {}
    why = "the instances find each other by it, for sharing.group is auto"
    return {"upstream.host": why, "upstream.port": why}


def _new_ref() -> str:
    """Return a reference short enough to read out on the telephone."""
    return secrets.token_hex(3)
