"""What there is to see at one moment, as values: the page, the API, `show`, `top` and /metrics read
the same. Looks nothing up itself. Seconds throughout; moments are seconds since 1970. No secrets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from proxy.phase import Phase

ONLY_BUDGET: Final = "default"  # the name of one that needs none
# Told one by one, whether one process tells them or several; all of them are counted.
MOST_SESSIONS: Final = 2000
MOST_WAITERS: Final = 50  # with an ETA each
MOST_REFUSALS: Final = 200


@dataclass(frozen=True, slots=True)
class BudgetSeen:
    """One egress address's slots."""

    name: str  # the server and the address, where there are several; else ONLY_BUDGET
    enforce: str
    open: int
    cooling: int
    elsewhere: (
        int  # owned by other instances that share the budget, or by workers that do not use it
    )
    reserved: int  # kept for other programs behind our address
    limit: int  # in force now; lower than configured after a suspected ban, here or elsewhere
    configured: int
    connections: int  # what the firewall tolerates, reserve and headroom included
    longest_hold: float
    next_slot: float | None  # None: only the end of a connection frees one
    per_second: float  # connections in the long run; 0.0: only the hold is known to limit nothing
    banned_for: float  # 0.0: no ban is suspected
    sessions: int  # control connections from this address
    sessions_elsewhere: int  # likewise
    sessions_limit: int
    sessions_configured: int  # more than that: another instance goes by fewer
    is_lowered: bool  # another instance goes by this limit, we would go by more

    @property
    def used(self) -> int:
        """Slots that are not free."""
        return self.open + self.cooling


@dataclass(frozen=True, slots=True)
class Waiter:
    """Somebody in the queue."""

    place: int  # from 1, in the order of turns
    source: str
    user: str
    client_class: str
    wants: str  # "login", "command", or the kind of transfer
    errand: str
    waits_for: str  # a reason of docs/REFUSALS.md, or "another's listing"
    waited: float
    eta: float | None  # None: nobody can know
    server: str = ""


@dataclass(frozen=True, slots=True)
class ClassQueue:
    """What waits of one class, for one server."""

    client_class: str
    length: int
    oldest: float
    server: str = ""


@dataclass(frozen=True, slots=True)
class ServerQueue:
    """How many may wait for one server, and for how long at most."""

    limit: int
    max_wait: float
    server: str = ""


@dataclass(frozen=True, slots=True)
class QueueSeen:
    """The lines before the servers, together; `first` are those whose turn is next."""

    length: int
    limit: int
    max_wait: float
    oldest: float
    classes: tuple[ClassQueue, ...]
    first: tuple[Waiter, ...]
    servers: tuple[ServerQueue, ...] = ()


@dataclass(frozen=True, slots=True)
class ClientSeen:
    """One client's session."""

    id: str
    source: str
    user: str
    client_class: str
    doing: str  # the verb it is at, "idle" or "greeting"
    phase: str  # of a transfer: queue, prepare, open, data, final, refused; else empty
    path: str
    moved: int
    pinned_by: str
    upstream_session: int | None
    age: float
    commands: int
    transfers: int
    bytes_down: int
    bytes_up: int
    server: str = ""


@dataclass(frozen=True, slots=True)
class UpstreamSeen:
    """One of our sessions with the server."""

    id: int | None  # None: being dialled
    budget: str
    user: str
    use: str  # opening, idle, lent, ending, settling, closing
    pinned: bool
    client: str  # whose transfer it carries or who keeps it, where that is known
    since: float
    age: float
    leases: int
    server: str = ""


@dataclass(frozen=True, slots=True)
class MachineSeen:
    """One of several machines that our sessions are shared among."""

    address: str
    state: str  # in use, standby, down, removed
    down_for: float | None  # None: it is up, as far as anybody knows
    sessions: int
    elsewhere: int  # owned by other instances, or by workers that do not use it
    limit: int
    server: str = ""


@dataclass(frozen=True, slots=True)
class ClassSeen:
    """A class of clients: what it has, and what each of its sources may have."""

    name: str
    sources: int
    sessions: int
    transfers: int
    waiting: int
    slots: int
    most_slots_of_one: int
    limit_sessions: int | None
    limit_transfers: int | None
    limit_transfers_per_minute: int | None
    limit_bandwidth: int | None
    weight: float


@dataclass(frozen=True, slots=True)
class RefusalSeen:
    """An explained refusal that a client has heard."""

    at: float
    ref: str
    session: str
    source: str
    user: str
    client_class: str
    reason: str
    code: int
    sentence: str
    cause: str
    remedy: str
    server: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What kept us from the server last; over once a session was had."""

    at: float
    reason: str
    words: str
    is_over: bool
    server: str = ""  # its name, as everywhere below: empty and not told for that of the top level

    @property
    def urgency(self) -> tuple[bool, bool, float]:
        """What is not over first, then the server of the top level, then the latest."""
        return not self.is_over, not self.server, self.at


@dataclass(frozen=True, slots=True)
class Totals:
    """What has been since the start."""

    sessions: int
    transfers: int
    transfers_failed: int
    bytes_moved: int
    refusals: int
    logins: int
    bans: int
    faults: int


@dataclass(frozen=True, slots=True)
class WorkerSeen:
    """One of several processes that serve together."""

    number: int
    answers: bool
    phase: str
    sessions: int
    waiting: int
    slots: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All of it."""

    at: float
    version: str
    started: float
    phase: Phase
    upstream: str
    listen: tuple[str, ...]
    pooling: str
    budgets: tuple[BudgetSeen, ...]
    queue: QueueSeen
    sessions_total: int  # `sessions` lists the first thousands
    sessions: tuple[ClientSeen, ...]
    upstream_limit: int
    upstream_elsewhere: int  # owned by other instances, or by workers that do not use it
    upstream_sessions: tuple[UpstreamSeen, ...]
    classes: tuple[ClassSeen, ...]
    refusals: tuple[RefusalSeen, ...]  # the latest first
    trouble: Trouble | None
    store_lost: str  # what sharing.on_store_down says, while the store cannot be reached
    totals: Totals
    workers: tuple[WorkerSeen, ...] = ()  # none: one process does it all
    store_new_for: float = 0.0  # a store that has just begun deals nothing out for so long
    machines: tuple[MachineSeen, ...] = ()  # none: there is only the one, and `upstream` says which
