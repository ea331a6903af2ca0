"""What somebody asks of the gate, and what the gate gives: Source, Request and Permit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from proxy.ftp.permissions import Permissions
from proxy.ftp.protection import Require
from proxy.ftp.virtual import State
from proxy.refusals import Reason
from proxy.shaping.holds import Ending
from proxy.shaping.ledger import Kind, Slot
from proxy.shaping.quota import Limits
from proxy.upstream.egress import Egress
from proxy.upstream.identity import LoginKey
from proxy.upstream.proofs import Proof
from proxy.upstream.seat import Seat


class Lane(Enum):
    """Who waits behind whom: a short command never waits behind a transfer's slot."""

    COMMAND = "command"
    TRANSFER = "transfer"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a client comes from, and what its class allows."""

    host: str
    class_name: str  # empty: no class matches
    limits: Limits
    permissions: Permissions = Permissions()
    require: Require = Require.NONE  # of TLS, beside what the listener requires of everybody

    @property
    def key(self) -> tuple[str, str]:
        """What quotas are counted by."""
        return self.class_name, self.host


@dataclass(frozen=True, slots=True)
class Scarce:
    """Which scarce things a request needs; how many wait for what is counted by this."""

    slot: bool
    seat: bool
    proof_serves: bool


@dataclass(slots=True, eq=False)
class Request:
    """What a command needs: a slot of the budget (`kind`), a session (`key`), or both.

    It may have to ask several times, and for several things: `since` stays, so that all its waits
    together last no longer than one may.
    """

    source: Source
    kind: Kind | None = None
    key: LoginKey | None = None
    wanted: State | None = None
    egress: Egress | None = None  # the way it must take: that of a session it has already
    errand: bytes = b""  # what for: who comes back with the same errand finds its old place
    # A login that must be proven: a recent proof serves, else the server is asked anew.
    is_login: bool = False
    proof_serves: bool = False  # no session is wanted with it
    blocked: Reason = Reason.UPSTREAM_SESSIONS
    follows: bool = False  # it waits for what another client is fetching, not for a turn
    expected: float | None = None  # when the budget was foretold to let it go on
    since: float = field(kw_only=True)  # when its command began
    feed: Callable[[float], None] | None = None  # keeps its client patient: seconds waited so far

    @property
    def scarce(self) -> Scarce:
        """What it takes to serve it."""
        return Scarce(self.kind is not None, self.key is not None, self.proof_serves)

    @property
    def flow(self) -> str:
        """Which line it waits in: behind requests of its source that need the very same things."""
        lane = Lane.COMMAND if self.kind is None else Lane.TRANSFER
        login = self.key.digest.hex() if self.key is not None else ""
        return f"{lane.value} {self.source.host} {login}"


class Permit:
    """What the gate granted. `settle` gives back the count and the slot; the seat is the pool's."""

    def __init__(
        self, egress: Egress, slot: Slot | None, give_back: Callable[[Permit, Ending | None], None]
    ) -> None:
        self._give_back = give_back
        self.egress = egress
        self.slot = slot
        self.seat: Seat | None = None
        self.proof: Proof | None = None
        self.misjudged: float | None = None  # seconds between the wait foretold and the real one
        self._settled = False

    def forgo(self) -> None:
        """Give all of it back: nothing was begun with it."""
        if self.seat is not None:
            self.egress.pool.forgo(self.seat)
        self.settle(None)

    def settle(self, ending: Ending | None) -> None:
        """The upstream socket is gone, and how; None: no SYN was sent, the slot is free at once."""
        if not self._settled:
            self._settled = True
            self._give_back(self, ending)


@dataclass(slots=True, eq=False)
class Waiting:
    """A request in the queue, and the moment it waits for."""

    request: Request
    turn: asyncio.Future[Permit]
    is_taken: bool = False

    def take(self, now: float) -> Permit:
        """The moment has come: return what was granted, with what there is to tell of the wait."""
        self.is_taken = True
        permit, expected = self.turn.result(), self.request.expected
        if expected is not None:
            permit.misjudged = abs(now - expected)
        return permit
