"""What happened lately and in all: the latest refusals, the last trouble with the server, totals.

Bounded, however many events come. Pure but for the clock it is given.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from proxy import events
from proxy.events import Event, Result
from proxy.refusals import REFUSALS, Reason

from .snapshot import MOST_REFUSALS, RefusalSeen, Totals, Trouble


class Recent:
    """Listens to every event; `clock` tells seconds since 1970."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._refusals: deque[tuple[float, events.Refused]] = deque(maxlen=MOST_REFUSALS)
        self._troubles: dict[str, Trouble] = {}  # the last one of each server
        self.store_lost = ""  # what is done without the store; empty: it is there, or none is used
        self._sessions = self._transfers = self._transfers_failed = self._moved = 0
        self._refused = self._logins = self._bans = self._faults = 0

    def __call__(self, event: Event) -> None:
        """Remember one deed."""
        match event:
            case events.TransferEnded():
                self._transfers += 1
                self._transfers_failed += event.result != Result.DONE
                self._moved += event.moved
            case events.SessionEnded():
                self._sessions += 1
            case events.Refused():
                self._refused += 1
                self._refusals.append((self._clock(), event))
            case events.UpstreamOpened():
                self._logins += 1
                if (was := self._troubles.get(event.server)) is not None:
                    self._troubles[event.server] = replace(was, is_over=True)
            case events.UpstreamRefused():
                self._troubles[event.server] = Trouble(
                    self._clock(), event.reason, event.words, is_over=False, server=event.server
                )
            case events.BanSuspected():
                self._bans += 1
            case events.StoreLost():
                self.store_lost = event.mode
            case events.StoreBack():
                self.store_lost = ""
            case events.Fault():
                self._faults += 1
            case _:
                pass

    @property
    def trouble(self) -> Trouble | None:
        """What keeps us from a server, or did so last."""
        return max(self._troubles.values(), key=lambda one: one.urgency, default=None)

    @property
    def refusals(self) -> tuple[RefusalSeen, ...]:
        """The latest refusals, the very latest first, with what to do about them."""
        return tuple(_seen(at, refused) for at, refused in reversed(self._refusals))

    @property
    def totals(self) -> Totals:
        """What has been since the start."""
        return Totals(
            sessions=self._sessions,
            transfers=self._transfers,
            transfers_failed=self._transfers_failed,
            bytes_moved=self._moved,
            refusals=self._refused,
            logins=self._logins,
            bans=self._bans,
            faults=self._faults,
        )


def _seen(at: float, refused: events.Refused) -> RefusalSeen:
    entry = REFUSALS[Reason(refused.reason)]
    return RefusalSeen(
        at=at,
        ref=refused.ref,
        session=refused.session,
        source=refused.source,
        user=refused.user,
        client_class=refused.client_class,
        reason=refused.reason,
        code=refused.code,
        sentence=refused.sentence,
        cause=entry.cause,
        remedy=entry.operator,
        server=refused.server,
    )
