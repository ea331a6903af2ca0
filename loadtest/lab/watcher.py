"""Looks at something again and again, in a thread of its own, while a block runs."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Watcher(ABC):
    """A context manager that calls `look` every so many seconds, first and last at the ends of its
    block. What `look` raises is raised where the block ends: a watcher that died early must not
    look like one that saw nothing."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._over = threading.Event()
        self._error: Exception | None = None

    @abstractmethod
    def look(self) -> None:
        """Look once."""

    def __enter__(self) -> Self:
        name = type(self).__name__
        self._thread = threading.Thread(target=self._watch, name=name, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        if self._error is not None and error is None:
            raise self._error

    def _watch(self) -> None:
        try:
            self.look()
            while not self._over.wait(self._every):
                self.look()
            self.look()
        except Exception as error:  # raised again where the block ends
            self._error = error
