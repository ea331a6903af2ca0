"""One simulated proxy: the real budget, the real fair queue, the real stake; no sockets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from proxy.shaping.fairqueue import FairQueue, Ticket
from proxy.shaping.holds import Ending, explicit
from proxy.shaping.ledger import Kind, Slot
from proxy.shaping.tolerance import Tolerance
from proxy.store.budget import Budget

from .agenda import Agenda
from .firewall import Firewall
from .wire import Wire

GUARD: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class File:
    """One transfer that a script wants."""

    source: str
    lasts: float  # seconds
    asked_at: float
    done: Callable[[bool], None]  # False: it broke off


class Instance:
    """From its start to its crash."""

    def __init__(
        self, agenda: Agenda, firewall: Firewall, wire: Wire, started: Callable[[File], None]
    ) -> None:
        self._agenda = agenda
        self._firewall = firewall
        self.wire = wire
        self.queue: FairQueue[File] = FairQueue()
        self._started = started
        self._running: dict[Slot, File] = {}
        self._timer_at = float("inf")
        self._assigning = False
        self.budget = Budget(
            Tolerance(firewall.limit, explicit(firewall.hold), GUARD),
            clock=agenda.clock,
            announce=lambda event: None,
            share=wire.share,
        )
        self.budget.serve(self._assign, lambda: (len(self.queue), self.queue.weight))
        wire.share.begin()

    def want(self, file: File) -> None:
        """A script asks for a transfer."""
        self.queue.push(file, file.source, 1.0, self._agenda.now)
        self._assign()

    def crash(self) -> None:
        """Everything ends at once; the firewall goes on counting."""
        self.wire.is_over = True
        for file in self._running.values():
            self._firewall.close(self._agenda.now)
            file.done(False)
        for ticket in list(self.queue.turns()):
            ticket.item.done(False)
        self._running.clear()

    def _assign(self) -> None:
        if self._assigning or self.wire.is_over:
            return
        self._assigning = True
        has_room = True
        while len(self.queue) and (has_room := self.budget.has_room(0)) and self._serve_one():
            pass
        self._assigning = False
        if len(self.queue):
            self._arm(has_room)

    def _serve_one(self) -> bool:
        for ticket in self.queue.heads():
            slot = self.budget.reserve(Kind.DOWNLOAD, ticket.source)
            if slot is not None:
                self._start(ticket, slot)
                return True
        return False

    def _start(self, ticket: Ticket[File], slot: Slot) -> None:
        file, now = ticket.item, self._agenda.now
        self.queue.serve(ticket)
        self._running[slot] = file
        self._firewall.open(now)
        self._started(file)
        self._agenda.after(file.lasts, lambda: self._end(slot))

    def _end(self, slot: Slot) -> None:
        file = self._running.pop(slot, None)
        if file is None:
            return  # it broke off in a crash
        self._firewall.close(self._agenda.now)
        self.budget.settle(slot, Ending.FIN)
        file.done(True)

    def _arm(self, has_room: bool) -> None:
        """Look again when time alone lets somebody go on."""
        moment = self._next_turn() if has_room else self.budget.next_free()
        if moment is None or self._timer_at <= moment:
            return
        self._timer_at = moment
        self._agenda.after(moment - self._agenda.now + 0.001, lambda: self._look_again(moment))

    def _next_turn(self) -> float | None:
        budget, firsts = self.budget, self.queue.firsts()
        chances = (budget.next_chance(Kind.DOWNLOAD, each.source) for each in firsts)
        return min((chance for chance in chances if chance is not None), default=None)

    def _look_again(self, moment: float) -> None:
        if self._timer_at == moment:
            self._timer_at = float("inf")
            self._assign()
