"""Which server stands on which ground: on loopback, in a laboratory of namespaces, or elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import ExitStack
from math import ceil
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from proxy.config import Address

from ..children import ChildFailed
from ..lab.flows import FlowCounter, compress
from ..lab.namespaces import LabUnavailable, lab
from ..scenario import EMBEDDED, Scenario
from .elsewhere import Elsewhere
from .real import Real
from .running import Embedded, Running
from .wishes import Evidence

SAMPLE_EVERY = 0.02


class Ground:
    """Where a run takes place: a server, and the command that puts clients beside it."""

    def __init__(self, server: Running, before_clients: Sequence[str] = ()) -> None:
        self.server = server
        self.before_clients = before_clients
        self.undo = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.undo.close()

    async def stop(self) -> Evidence | None:
        """End the server and return what was seen."""
        return await self.server.stop()


class LabServer:
    """A server behind a real firewall: its connections are those that the kernel counted."""

    def __init__(self, server: Running, flows: FlowCounter, scenario: Scenario) -> None:
        self.host, self.port = server.host, server.port
        self.first: float | None = None  # the moment of the first connection too many
        self._server = server
        self._flows = flows
        self._wall = scenario.firewall
        self._history: list[tuple[float, int]] = []

    @property
    def pids(self) -> list[int]:
        """The server's own."""
        return self._server.pids

    @property
    def live(self) -> dict[str, Any]:
        """What the kernel counts now."""
        sessions = self._server.live.get("sessions")
        return {"counted": self._flows.now, "most": self._flows.most, "sessions": sessions}

    async def start(self) -> None:
        """Return when it serves."""
        await self._server.start()
        self.port = self._server.port

    async def listen(self) -> None:
        """Sample what the kernel counts, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._server.listen())
            while True:
                self._history.append((time.monotonic(), self._flows.now))
                await asyncio.sleep(SAMPLE_EVERY)

    async def stop(self) -> Evidence | None:
        """End it; the kernel's count replaces any other."""
        seen = await self._server.stop() or Evidence()
        seen.by = "the kernel's connection tracking"
        seen.limit, seen.most = self._wall.connections, self._flows.most
        seen.history = self._history
        seen.banned = self.first is not None and self._wall.ban is not None
        seen.violations = []
        if self.first is not None and self._wall.connections is not None:
            seen.violations = [(self.first, self._wall.connections + 1, "new")]
        return seen


def ground_for(scenario: Scenario, files: Path, folder: Path) -> Ground:
    """Prepare what the scenario asks for; no server is started yet. Raises ChildFailed."""
    kind = scenario.server.kind
    if isinstance(kind, Address):
        return Ground(Elsewhere(scenario, kind.host, kind.port))
    maker = Embedded if kind == EMBEDDED else Real
    if scenario.firewall.lab == "off":
        return Ground(maker(scenario, files, folder))
    with ExitStack() as undo:
        try:
            both = undo.enter_context(lab())
        except LabUnavailable as error:
            raise ChildFailed(f"firewall.lab: {error}") from error
        compress(both.server, max(1, ceil(scenario.firewall.time_wait)))
        # In the lab the kernel counts and nftables drops; the server's own emulation stands back.
        bare = scenario.model_copy(
            update={"firewall": scenario.firewall.model_copy(update={"connections": None})}
        )
        server = maker(bare, files, folder, host=both.server.address, before=both.server.inside())

        def exceeded(address: str) -> None:
            watched.first = watched.first or time.monotonic()
            if scenario.firewall.ban is not None:
                both.ban(address, scenario.firewall.ban)

        limit = scenario.firewall.connections or 1_000_000
        flows = undo.enter_context(FlowCounter(both.server, limit=limit, ban=exceeded))
        watched = LabServer(server, flows, scenario)
        ground = Ground(watched, both.client.inside())
        ground.undo = undo.pop_all()
    return ground
