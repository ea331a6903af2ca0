"""What everything that opens, keeps and closes sessions stands upon."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from proxy.events import Announce


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """`clock` is the one that all go by; what is spawned outlives whoever asked for it."""

    clock: Callable[[], float]
    announce: Announce
    spawn: Callable[[Coroutine[Any, Any, object]], object]
