"""Whose turn it is: start-time fair queueing over sources, first come first served inside one.

Every source has an account in virtual time: the tag at which its next turn starts. The lowest
account goes first, and a turn of cost c raises it by c / weight; the tag of the latest turn is the
queue's virtual time. Three rules beside the textbook, each with its reason:
  - Nobody saves up turns. Who was idle, or was passed over while a limit of its own held it back,
    pays from the present virtual time on; else it would later shut the others out.
  - Only turns are paid. Who leaves the line unserved costs its source nothing.
  - Who comes back with the tag of its old ticket gets its old place; its account pays as ever.
Pure. It never decides whether a turn can be granted: that is the ledger's and the quotas' word.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Final, Generic, TypeVar

T = TypeVar("T")

# Forgetting costs a walk over all sources: not worth it below this many.
FEW: Final = 64


@dataclass(slots=True, eq=False)
class Ticket(Generic[T]):
    """A place in the line. `tag` is that place in virtual time: keep it to give the place back."""

    item: T
    source: str
    weight: float
    tag: float
    seq: int
    since: float
    returned: bool
    waiting: bool = True

    def start(self, account: float) -> float:
        """Tell the tag at which its turn starts, once it is the first of its source."""
        return min(self.tag, account) if self.returned else account


@dataclass(slots=True, eq=False)
class _Source(Generic[T]):
    """The account of one source, and those of it who wait, by tag."""

    account: float
    weight: float
    line: list[Ticket[T]] = field(default_factory=list)

    def turn(self) -> tuple[float, int, Ticket[T]]:
        """Tell what orders this source among the others: its first ticket's start, then arrival."""
        first = self.line[0]
        return first.start(self.account), first.seq, first


class FairQueue(Generic[T]):
    """The line before a scarce thing. Sources share the turns in proportion to their weights."""

    def __init__(self) -> None:
        self._sources: dict[str, _Source[T]] = {}
        self._virtual = 0.0
        self._seq = count(1)
        self._length = 0
        self._sweep_at = FEW

    def __len__(self) -> int:
        return self._length

    @property
    def known(self) -> int:
        """Count the sources it remembers: those who wait, and those ahead of virtual time."""
        return len(self._sources)

    def waiting(self, source: str) -> int:
        """Count the tickets of one source."""
        found = self._sources.get(source)
        return len(found.line) if found else 0

    @property
    def weight(self) -> float:
        """The weights of all sources that wait, together; 1.0 if none does."""
        return sum(found.line[0].weight for found in self._sources.values() if found.line) or 1.0

    def oldest(self, now: float) -> float:
        """Tell how long the oldest ticket has waited; 0.0 means nobody waits."""
        lines = (found.line for found in self._sources.values())
        return max((now - ticket.since for line in lines for ticket in line), default=0.0)

    def push(
        self, item: T, source: str, weight: float, now: float, *, tag: float | None = None
    ) -> Ticket[T]:
        """Join the line; `tag` is the old place of one who comes back."""
        if weight <= 0:
            raise ValueError(f"a weight is above 0, not {weight}")
        found = self._known(source, weight)
        found.weight = weight
        line = found.line
        if not line:
            found.account = max(found.account, self._virtual)
        place, at = len(line), found.account + len(line) / weight
        if tag is not None:
            place, at = bisect_left(line, tag, key=lambda other: other.tag), tag
        elif line:
            # Not before the last of the line, whose tag may date from when it was longer.
            at = max(at, line[-1].tag)
        ticket = Ticket(item, source, weight, at, next(self._seq), now, returned=tag is not None)
        line.insert(place, ticket)
        self._length += 1
        return ticket

    def remove(self, ticket: Ticket[T]) -> None:
        """Leave the line at once, unserved. To leave twice does no harm."""
        if ticket.waiting:
            self._leave(ticket)

    def heads(self) -> list[Ticket[T]]:
        """List the first ticket of every source, in the order of turns."""
        waiting = [found for found in self._sources.values() if found.line]
        return [ticket for _, _, ticket in sorted(found.turn() for found in waiting)]

    def is_first(self, ticket: Ticket[T]) -> bool:
        """Tell whether nobody of its source is before it."""
        return self._sources[ticket.source].line[0] is ticket

    def firsts(self) -> Iterator[Ticket[T]]:
        """Tell the first ticket of every source, in no particular order: cheaper than `heads`."""
        return (found.line[0] for found in self._sources.values() if found.line)

    def serve(self, ticket: Ticket[T], cost: float = 1.0) -> None:
        """Give a ticket its turn: it leaves, and its source pays. ValueError if it is no head."""
        found = self._sources.get(ticket.source)
        if found is None or not found.line or found.line[0] is not ticket:
            raise ValueError("a turn goes to the first waiting ticket of a source")
        self._virtual = max(self._virtual, ticket.start(found.account))
        found.account = max(found.account, self._virtual) + cost / ticket.weight
        self._leave(ticket)

    def charge(self, source: str, cost: float, weight: float = 1.0) -> None:
        """Let a source pay afterwards for what its turn cost beyond 1.

        `weight` counts only for a source that is already forgotten. While nobody waits nobody was
        kept waiting, so nothing is owed.
        """
        if not self._length:
            return
        found = self._known(source, weight)
        found.account = max(found.account, self._virtual) + cost / found.weight

    def turns(self) -> Iterator[Ticket[T]]:
        """Tell all tickets in the order of turns, if each costs 1 and none is passed over."""
        ahead = [
            (*found.turn(), found.account, 0) for found in self._sources.values() if found.line
        ]
        heapq.heapify(ahead)
        while ahead:
            _, _, ticket, account, place = ahead[0]
            yield ticket
            # Virtual time need not be advanced: in order, no account is left behind it.
            account = max(account, self._virtual) + 1 / ticket.weight
            line = self._sources[ticket.source].line
            if place + 1 == len(line):
                heapq.heappop(ahead)
                continue
            after = line[place + 1]
            heapq.heapreplace(ahead, (after.start(account), after.seq, after, account, place + 1))

    def position(self, ticket: Ticket[T]) -> tuple[int, int]:
        """Tell its place among all and inside its source, from 1. ValueError if it has left."""
        if not ticket.waiting:
            raise ValueError("this ticket has left the line")
        own = self._sources[ticket.source].line.index(ticket) + 1
        return next(place for place, other in enumerate(self.turns(), 1) if other is ticket), own

    def _known(self, source: str, weight: float) -> _Source[T]:
        found = self._sources.get(source)
        if found is None:
            self._forget()
            found = self._sources[source] = _Source(self._virtual, weight)
        return found

    def _leave(self, ticket: Ticket[T]) -> None:
        ticket.waiting = False
        self._sources[ticket.source].line.remove(ticket)
        self._length -= 1
        if not self._length:
            # Nobody waits, so nobody is owed: all stand level again, and none need be remembered.
            accounts = (found.account for found in self._sources.values())
            self._virtual = max(self._virtual, *accounts)
            self._sources.clear()

    def _forget(self) -> None:
        """Drop who is level with a newcomer anyway; each doubling of the sources pays one walk."""
        if len(self._sources) < self._sweep_at:
            return
        self._sources = {
            name: found
            for name, found in self._sources.items()
            if found.line or found.account > self._virtual
        }
        self._sweep_at = max(FEW, 2 * len(self._sources))
