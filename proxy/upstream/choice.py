"""Which seat serves a login best, and which may make room for another. Pure: nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable

from proxy.ftp.command import Needs
from proxy.ftp.facts import ServerFacts
from proxy.ftp.virtual import State, replay

from .identity import LoginKey
from .seat import Seat, Use

STILL_IN_USE = 0.05  # seconds in which the next command of the script that used it may come


def best_idle(last_used_first: Iterable[Seat], key: LoginKey, wanted: State | None) -> Seat | None:
    """Return the idle seat of this login that needs the least replay; None: there is none.

    Last used first: few sessions stay warm, the others may be retired.
    """
    best: Seat | None = None
    least = 4  # of what is to be replayed; more than there can be
    for seat in last_used_first:
        session = seat.session
        if seat.use is Use.IDLE and session is not None and session.key == key:
            state = session.state
            lacks = 0
            if wanted is not None:
                lacks = 2 * (state.cwd != wanted.cwd) + (state.type != wanted.type)
            if not lacks:
                return seat
            if lacks < least:
                best, least = seat, lacks
    return best


def best_ending(
    seats: Iterable[Seat], key: LoginKey, wanted: State, facts: ServerFacts | None
) -> Seat | None:
    """Return the seat that was handed on first and needs no replay at all; None: there is none."""
    defaults = facts.option_defaults if facts is not None else {}
    fitting = (
        seat
        for seat in seats
        if seat.use is Use.ENDING
        and seat.session is not None
        and seat.session.key == key
        and not replay(seat.session.state, wanted, Needs.ALL, defaults)
    )
    return min(fitting, key=lambda seat: seat.since, default=None)


def longest_idle(idle: Iterable[Seat], stay: float, now: float) -> Seat | None:
    """Return the seat that makes room for another login, of those that may leave by now."""
    spare = (seat for seat in idle if leaves_at(seat, stay) <= now)
    return min(spare, key=lambda seat: seat.since, default=None)


def leaves_at(idle: Seat, stay: float) -> float:
    """When an idle session may go to another login: out of use, or `stay` seconds with this one."""
    assert idle.session is not None
    return min(idle.since + STILL_IN_USE, idle.session.opened_at + stay)
