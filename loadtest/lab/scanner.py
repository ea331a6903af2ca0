"""A counter of CSF's kind: lfd reads the server's socket table every so often and bans the busiest.

It counts lines per address in every state but LISTEN, TIME_WAIT included (CT_SKIP_TIME_WAIT=0, the
default), and bans whoever has more than the limit (CT_LIMIT). lfd looks every 30 s (CT_INTERVAL);
this one looks more often, so that nothing slips through between two looks.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable

from .table import KEPT, LISTEN, Line, sockets
from .watcher import Watcher

EVERY = 0.05


def count(
    lines: Iterable[Line], is_ours: Callable[[int], bool], time_wait: float = KEPT
) -> dict[str, int]:
    """Count connections per address at the ports that are ours.

    A `time_wait` below the kernel's own compresses time: what has waited longer is overlooked.
    """
    return Counter(
        line.peer
        for line in lines
        if line.state != LISTEN and line.age <= time_wait and is_ours(line.local_port)
    )


class Scanner(Watcher):
    """Looks at one namespace while the block lasts; calls `ban` once for each address over it."""

    def __init__(
        self,
        pid: int | str,
        *,
        limit: int,
        ban: Callable[[str], None] = lambda address: None,
        time_wait: float = KEPT,
        is_ours: Callable[[int], bool] = lambda port: True,
        every: float = EVERY,
    ) -> None:
        super().__init__(every)
        self._pid = pid
        self._limit = limit
        self._ban = ban
        self._time_wait = time_wait
        self._is_ours = is_ours
        self.most = 0
        self.now = 0  # what the busiest address had at the last look
        self.banned: set[str] = set()
        self.looks: list[tuple[float, int]] = []  # (Unix time, what the busiest address had)

    def look(self) -> None:
        """Look once."""
        counted = count(sockets(self._pid), self._is_ours, self._time_wait)
        self.now = max(counted.values(), default=0)
        self.most = max(self.most, self.now)
        self.looks.append((time.time(), self.now))
        for address, number in counted.items():
            if number > self._limit and address not in self.banned:
                self.banned.add(address)
                self._ban(address)
