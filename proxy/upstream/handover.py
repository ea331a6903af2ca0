"""Lends a session on one round trip early: when a transfer's data has come and its reply has not.

Only to the next transfer of the same login that needs nothing replayed, so that nothing runs behind
a CWD whose success matters; and only where the server was seen to answer in order.
"""

from __future__ import annotations

from collections.abc import Callable

from proxy.events import CommandsRunAhead

from .condition import Fitness
from .due import Due, Lost
from .ground import Ground
from .order import Order
from .seat import Seat, Use

PROOF = 5.0  # seconds for the answer to a NOOP; without one the order is not to be relied on


class Handover:
    """Hands seats on for one pool; `leave` takes one back, `rouse` hears of one that is free."""

    def __init__(
        self,
        order: Order,
        ground: Ground,
        leave: Callable[[Seat], None],
        rouse: Callable[[], None],
    ) -> None:
        self._order = order
        self._clock, self._announce, self._spawn = ground.clock, ground.announce, ground.spawn
        self._leave = leave
        self._rouse = rouse

    def begin(self, seat: Seat) -> Due | None:
        """All the data of its transfer has come: let the next have it; None: it stays lent."""
        session = seat.session
        assert session is not None
        if not session.may_hand_on or not self._order.is_worth(session.round_trip):
            return None
        due = session.hand_on()
        if self._order.is_proven:
            seat.due = due
            seat.become(Use.ENDING, self._clock())
            self._rouse()
        else:
            self._spawn(self._prove(seat, due))
        return due

    def end(self, seat: Seat, due: Due | None) -> None:
        """A holder is done. If it has handed the seat on, and somebody took it, that is all."""
        if due is None or seat.due is due:
            seat.due = None
            self._leave(seat)

    def judge(self, seat: Seat) -> None:
        """Its holder leaves: learn from it if the server answered out of turn."""
        session = seat.session
        assert session is not None
        if session.fitness is Fitness.DISORDERED and self._order.was_broken():
            self._announce(CommandsRunAhead(session.id, False))

    async def _prove(self, seat: Seat, due: Due) -> None:
        """Send what harms nobody where the next command would stand, and see what comes first."""
        session = seat.session
        assert session is not None
        try:
            await session.ask(b"NOOP", PROOF)
        except Lost:
            session.spoil()
        else:
            if not due.is_settled:
                session.answered_out_of_turn()
            if session.fitness is not Fitness.DISORDERED and self._order.was_kept():
                self._announce(CommandsRunAhead(session.id, True))
        self._leave(seat)
