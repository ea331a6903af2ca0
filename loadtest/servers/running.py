"""A server of a run as its owner sees it: start, where it is, what it says, stop, evidence."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from ..children import Child
from ..scenario import Scenario
from .wishes import Evidence, Wishes


class Running(Protocol):
    """What every kind of server can be asked."""

    host: str
    port: int

    @property
    def pids(self) -> list[int]:
        """The processes that serve."""

    @property
    def live(self) -> dict[str, Any]:
        """What it said last: counted, most, sessions; empty when it says nothing."""

    async def start(self) -> None:
        """Return when it serves."""

    async def listen(self) -> None:
        """Hear what it says until it ends."""

    async def stop(self) -> Evidence | None:
        """End it and return what was seen; None when nobody looked."""


class Embedded:
    """The embedded server."""

    def __init__(
        self,
        scenario: Scenario,
        files: Path,
        folder: Path,
        *,
        host: str = "127.0.0.1",
        before: Sequence[str] = (),
    ) -> None:
        self.host = host
        self.port = 0
        self._scenario = scenario
        self._files = files
        self._evidence = folder / "evidence.json"
        self._child = Child.module(
            "the embedded server",
            "loadtest.servers.embedded",
            folder / "server.log",
            before=before,
        )

    @property
    def pids(self) -> list[int]:
        """One process."""
        return [self._child.pid]

    @property
    def live(self) -> dict[str, Any]:
        """What it said last."""
        return self._child.last

    async def start(self) -> None:
        """Return when it serves."""
        await self._child.start(asdict(self._wishes()))
        self.port = int(json.loads(await self._child.line())["port"])

    async def listen(self) -> None:
        """Hear what it says until it ends."""
        await self._child.listen()

    async def stop(self) -> Evidence | None:
        """End it; the evidence is what it left in its file."""
        await self._child.stop()
        if not self._evidence.is_file():
            return None
        return Evidence(**json.loads(self._evidence.read_text()))

    def _wishes(self) -> Wishes:
        server, wall = self._scenario.server, self._scenario.firewall
        return Wishes(
            folder=str(self._files),
            evidence=str(self._evidence),
            host=self.host,
            user=server.user,
            password=server.password,
            sessions_per_address=server.sessions_per_address,
            backlog=server.backlog,
            login_delay=server.login_delay,
            restart_at=server.restart_at,
            restart_takes=server.restart_takes,
            limit=wall.connections,
            hold=wall.time_wait,
            ban=wall.ban,
            seed=self._scenario.load.seed,
            faults=dict(server.faults),
        )
