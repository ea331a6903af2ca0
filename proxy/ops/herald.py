"""Tells every event to all who listen. Whoever announces never learns what becomes of it."""

from __future__ import annotations

import traceback
from collections import Counter

from proxy.events import Announce, Event, Fault


class Herald:
    """Total: a listener that fails misses that event, and nobody else does.

    An event is announced in the middle of other work, often by one who is putting things in order:
    a full disk or a mistake in the counters must not leave that half done.
    """

    def __init__(self, **listeners: Announce) -> None:
        self._listeners: dict[str, Announce] = {}
        self.missed: Counter[tuple[str, ...]] = Counter()  # events, by listener
        for name, listener in listeners.items():
            self.add(name, listener)

    def add(self, name: str, listener: Announce) -> None:
        """Tell this one too from now on, after the others."""
        self._listeners[name] = listener
        self.missed[name,] = 0

    def __call__(self, event: Event) -> None:
        """Tell everybody."""
        for name, listener in self._listeners.items():
            try:
                listener(event)
            except OSError:
                self.missed[name,] += 1  # the listener says so itself, once it can
            except Exception as error:
                self.missed[name,] += 1
                if not isinstance(event, Fault):
                    self(Fault(f"listener: {name}", repr(error), traceback.format_exc()))
