"""A seat: one of the places the server allows us, from the first SYN until its socket is gone."""

from __future__ import annotations

from enum import auto

from proxy.events import UpstreamClosed
from proxy.shaping.holds import Ending
from proxy.shaping.ledger import Slot

from .due import Due
from .identity import LoginKey
from .moves import Moves, State, moved
from .session import UpstreamSession


class Use(State):
    """What a seat is doing."""

    OPENING = auto()  # taken by who dials it
    IDLE = auto()
    LENT = auto()
    ENDING = auto()  # all but its holder's final reply has come: the next may have it
    SETTLING = auto()  # its holder left while replies were owed
    CLOSING = auto()  # counted until the socket is gone


USE_MOVES: Moves[Use] = {
    Use.OPENING: frozenset({Use.LENT, Use.CLOSING}),
    Use.IDLE: frozenset({Use.LENT, Use.CLOSING}),
    Use.LENT: frozenset({Use.ENDING, Use.IDLE, Use.SETTLING, Use.CLOSING}),
    Use.ENDING: frozenset({Use.LENT, Use.IDLE, Use.SETTLING, Use.CLOSING}),
    Use.SETTLING: frozenset({Use.IDLE, Use.CLOSING}),
    Use.CLOSING: frozenset(),
}
TO_BE_HAD = frozenset({Use.IDLE, Use.ENDING})


class Seat:
    """One of the places the server allows us: its slot of the budget, its session if any yet."""

    def __init__(self, slot: Slot, use: Use, now: float) -> None:
        self.slot = slot
        self.use = use
        self.session: UpstreamSession | None = None
        self.verifies: LoginKey | None = None  # a login that nobody has proven yet
        self.instead_of: Seat | None = None  # to be closed before this one is dialled
        self.due: Due | None = None  # of the holder who has handed it on and nobody took it yet
        self.since = now
        self.leases = 0
        self.generation = 0  # of the settings it was dialled with
        self.end_reason = "server hung up"
        self.ending = Ending.FIN

    def become(self, use: Use, now: float) -> None:
        """Change the use; an impossible change is a bug and is loud."""
        self.use = moved(USE_MOVES, self.use, use)
        if use is Use.LENT:
            self.due = None
        self.since = now

    def told(self, now: float) -> UpstreamClosed | None:
        """Return the event of its end; None if nobody ever logged in."""
        session = self.session
        if session is None or session.key is None:
            return None
        user = session.key.user.decode("ascii", "replace")
        age = now - session.opened_at
        return UpstreamClosed(session.id, user, self.end_reason, age, self.leases)

    @property
    def fell_silent(self) -> bool:
        """Tell whether the server vanished without a word."""
        return self.session is not None and self.session.fell_silent

    @property
    def key(self) -> LoginKey | None:
        """Whose login it holds."""
        return self.session.key if self.session is not None else None
