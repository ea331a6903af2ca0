"""The condition of a session with the server: whom it may serve, what is unfinished on it. Pure.

Neither tells of the other: where nobody else may have it, its holder's transfers still go on.
"""

from __future__ import annotations

from enum import auto

from .moves import Moves, State


class Fitness(State):
    """Whom it may serve. The doors lead one way: nothing makes it fit again."""

    FIT = auto()  # whoever has its login
    SPOILT = auto()  # its holder only: how it stands at the server is not known, or not replayed
    DISORDERED = auto()  # the same: it answered a later command first, as its server may again


class Unfinished(State):
    """What would be left behind by a holder who left now."""

    NOTHING = auto()
    RESTART = auto()  # REST was sent, and not yet the transfer that it is for
    TRANSFER = auto()  # a transfer command is unanswered


FITNESS_MOVES: Moves[Fitness] = {
    Fitness.FIT: frozenset({Fitness.SPOILT, Fitness.DISORDERED}),
    Fitness.SPOILT: frozenset({Fitness.DISORDERED}),
    Fitness.DISORDERED: frozenset(),
}
# RFC 959 section 4.1.3: a REST is followed by its transfer at once; else it is taken back.
UNFINISHED_MOVES: Moves[Unfinished] = {
    Unfinished.NOTHING: frozenset({Unfinished.RESTART, Unfinished.TRANSFER}),
    Unfinished.RESTART: frozenset({Unfinished.TRANSFER, Unfinished.NOTHING}),
    Unfinished.TRANSFER: frozenset({Unfinished.NOTHING}),
}
