"""How far the process is on its way from start to end, and where it can be reached meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """What the proxy as a whole is doing."""

    STARTING = "starting"
    SERVING = "serving"
    RELOADING = "reloading"  # and serving
    STOPPING = "stopping"  # told to end, and still letting clients in for `timeouts.drain_lag`
    DRAINING = "draining"  # letting nobody in; running transfers end
    OVER = "over"

    @property
    def is_ready(self) -> bool:
        """Tell whether whoever chooses among proxies should choose this one."""
        return self in (Phase.SERVING, Phase.RELOADING)

    @property
    def is_ending(self) -> bool:
        """Tell whether it has been told to end."""
        return self in (Phase.STOPPING, Phase.DRAINING, Phase.OVER)


@dataclass(frozen=True, slots=True)
class Serving:
    """Where the proxy can be reached, once it can."""

    listening: Sequence[str]
    status: str | None  # the status page; None: there is none


Ready = Callable[[Serving], None]
