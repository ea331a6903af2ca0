"""Which server stands on which ground: on loopback, in a laboratory of namespaces, or elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from ..scenario import Scenario
from .running import Embedded, Running
from .wishes import Evidence


class Ground:
    """Where a run takes place: a server, and the command that puts clients beside it."""

    def __init__(self, server: Running, before_clients: Sequence[str] = ()) -> None:
        self.server = server
        self.before_clients = before_clients
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._undo.close()

    async def stop(self) -> Evidence | None:
        """End the server and return what was seen."""
        return await self.server.stop()


def ground_for(scenario: Scenario, files: Path, folder: Path) -> Ground:
    """Prepare what the scenario asks for; nothing is started yet."""
    return Ground(Embedded(scenario, files, folder))
