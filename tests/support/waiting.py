"""Wait for something outside this process, for a bounded time. Only for real programs."""

from __future__ import annotations

import time
from collections.abc import Callable

STEP = 0.01


def until(true: Callable[[], object], what: str, within: float = 10.0) -> None:
    """Return as soon as `true()` is; raise TimeoutError naming `what` when it never was."""
    deadline = time.monotonic() + within
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {within:g} s in vain: {what}")
        time.sleep(STEP)
