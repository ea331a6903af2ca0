"""Lets one step be broken off from outside without harming the task that runs it."""

from __future__ import annotations

import asyncio
from types import TracebackType


class Interruptible:
    """A block that `interrupt` ends early, as asyncio.timeout does with time.

    After the block `was_interrupted` tells; a cancellation by anybody else goes through.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[object] | None = None
        self.was_interrupted = False

    def interrupt(self) -> None:
        """Break the block off at its next await; outside the block it does nothing."""
        if self._task is not None and not self.was_interrupted:
            self.was_interrupted = True
            self._task.cancel()

    def __enter__(self) -> Interruptible:
        self._task = asyncio.current_task()
        self.was_interrupted = False
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        task, self._task = self._task, None
        assert task is not None
        if not self.was_interrupted:
            return False
        # Somebody else's cancel on top of ours is not ours to swallow.
        return task.uncancel() == 0 and kind is asyncio.CancelledError
