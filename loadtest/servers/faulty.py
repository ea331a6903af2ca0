"""Which fault happens now, and how it looks on the data connection.

Chance is seeded: the same scenario is wrong in the same places. Replies are faulted in embedded.py.
"""

from __future__ import annotations

import socket
from collections import Counter
from random import Random
from typing import Any, Protocol

from ..scenario import Faults


class Mischief:
    """Decides, and counts what it did."""

    def __init__(self, faults: Faults, seed: int) -> None:
        self.faults = faults
        self.done: Counter[str] = Counter()
        self._chance = Random(seed)
        self._files = 0
        self._finals = 0
        self._held: tuple[Any, str] | None = None
        self._swapped = False

    def strikes(self, name: str) -> bool:
        """Tell whether the fault of this name happens, with the share the scenario gives it."""
        share: float = getattr(self.faults, name)
        if share and self._chance.random() < share:
            self.done[name] += 1
            return True
        return False

    def for_a_file(self) -> str | None:
        """Return what goes wrong with the next download, if anything."""
        self._files += 1
        every = self.faults.truncate_one_in
        if every is not None and self._files % every == 0:
            self.done["truncate"] += 1
            return "truncate"
        return next((name for name in ("reset", "stall", "silent_150") if self.strikes(name)), None)

    def swap(self, session: Any, reply: str) -> list[tuple[Any, str]]:
        """Return which reply goes to which session now; once in a run two are exchanged."""
        after = self.faults.swap_once_after
        if after is None or self._swapped:
            return [(session, reply)]
        self._finals += 1
        if self._finals <= after:
            return [(session, reply)]
        if self._held is None:
            self._held = (session, reply)
            return []
        other, held = self._held
        if other is session:
            return [(session, reply)]
        self._swapped = True
        self.done["swap"] += 1
        return [(session, held), (other, reply)]


class _Producer(Protocol):
    def more(self) -> bytes: ...


class CutShort:
    """Gives half of what a producer has; then the fault happens."""

    def __init__(self, producer: _Producer, size: int, fault: str, channel: Any) -> None:
        self.file = getattr(producer, "file", None)
        self._producer = producer
        self._left = 0 if fault == "silent_150" else size // 2
        self._fault = fault
        self._channel = channel

    def more(self) -> bytes:
        """Return some bytes; nothing means the end, as pyftpdlib has it."""
        chunk = self._producer.more()[: self._left] if self._left else b""
        self._left -= len(chunk)
        if not chunk and self._fault != "truncate":
            self._strike()
        return chunk

    def _strike(self) -> None:
        # Not from inside pyftpdlib's own loop over producers, which would close the channel too.
        self._channel.is_struck = True
        self._channel.ioloop.call_later(0, self._act)
        self._channel.ioloop.unregister(self._channel._fileno)

    def _act(self) -> None:
        if self._fault == "reset" and not self._channel._closed:
            linger = b"\1\0\0\0\0\0\0\0"
            self._channel.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self._channel._resp = ("426 Connection reset; transfer aborted.", lambda _: None)
            self._channel.close()
