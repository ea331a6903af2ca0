"""What the status page shows, wherever it comes from: this process, or several workers together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from proxy.config.in_effect import Setting, in_effect

from ..lookout import Lookout
from ..metrics.exposition import Metrics
from ..pulse import Pulse, Sample
from ..snapshot import Snapshot


class View(Protocol):
    """What there is to be seen. NoSight where there is nothing."""

    async def snapshot(self) -> Snapshot:
        """Return what there is at this moment."""
        ...

    async def metrics(self) -> bytes:
        """Return the page for Prometheus."""
        ...

    async def history(self) -> Sequence[Sample]:
        """Return how full it was lately, the oldest first."""
        ...

    async def settings(self) -> Sequence[Setting]:
        """Return every setting that holds."""
        ...

    async def silent(self) -> Sequence[str]:
        """Name the processes that give no sign of life."""
        ...


class NoSight(Exception):
    """There is nothing to be seen: nobody serves."""


@dataclass(frozen=True, slots=True)
class Here:
    """The view of this very process."""

    lookout: Lookout
    page: Metrics
    pulse: Pulse

    async def snapshot(self) -> Snapshot:
        """Look."""
        return self.lookout.snapshot()

    async def metrics(self) -> bytes:
        """Look things up, and count sockets."""
        return await self.page.page()

    async def history(self) -> Sequence[Sample]:
        """Return what the pulse has seen."""
        return self.pulse.history

    async def settings(self) -> Sequence[Setting]:
        """Return those of the configuration that holds."""
        return tuple(in_effect(self.lookout.watched.config))

    async def silent(self) -> Sequence[str]:
        """Name nobody: whoever asks is answered by this process."""
        return ()
