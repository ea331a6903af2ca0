"""What there is to look at in a running proxy: its servers, the ways to them, and their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from proxy.config import Config
from proxy.events import Reloaded, ReloadRefused
from proxy.gate.gate import Gate
from proxy.net.doors import Doors
from proxy.phase import Phase
from proxy.session.roster import Roster
from proxy.store.shared import SharedStore
from proxy.upstream.egress import Egress
from proxy.upstream.fleet import Fleet

from .snapshot import ONLY_BUDGET


class Server(Protocol):
    """One of the servers; `config` is what it would have if it were the only one."""

    name: str  # empty: the one of the top level
    config: Config
    gate: Gate
    fleet: Fleet
    egresses: tuple[Egress, ...]


class Watched(Protocol):
    """What there is to look at: the app."""

    config: Config  # what holds now
    phase: Phase
    roster: Roster
    doors: Doors
    store: SharedStore | None

    @property
    def servers(self) -> Sequence[Server]:
        """The servers there are, the nameless one first."""
        ...

    async def reload(self) -> Reloaded | ReloadRefused:
        """Read the file anew and go on by it, or change nothing."""
        ...

    def drain(self) -> None:
        """End after the running transfers."""
        ...


def every_way(servers: Sequence[Server]) -> list[Egress]:
    """Return the ways to all of them."""
    return [egress for server in servers for egress in server.egresses]


def name_of(egress: Egress) -> str:
    """Name a budget: by its server and address, where there are several."""
    return egress.name or ONLY_BUDGET
