"""The lookout: reads the rooms' own counts and makes a Snapshot of them. Changes nothing.

Only who asks pays: nothing here runs while nobody looks.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Final

from proxy import __version__
from proxy.config import Address, Config
from proxy.gate.expectation import slot_wait
from proxy.gate.request import Request
from proxy.refusals import Reason
from proxy.session.session import Session
from proxy.upstream.condition import Fitness
from proxy.upstream.egress import Egress
from proxy.upstream.seat import Seat

from .recent import Recent
from .snapshot import (
    MOST_SESSIONS,
    MOST_WAITERS,
    BudgetSeen,
    ClassQueue,
    ClassSeen,
    ClientSeen,
    MachineSeen,
    QueueSeen,
    ServerQueue,
    Snapshot,
    Totals,
    UpstreamSeen,
    Waiter,
)
from .watched import Server, Watched, every_way, name_of

FRESH: Final = 0.5  # seconds for which one snapshot serves everybody who asks


class Lookout:
    """Takes snapshots of a running proxy."""

    def __init__(
        self, watched: Watched, recent: Recent, clock: Callable[[], float], *, started: float
    ) -> None:
        self.watched = watched
        self.clock = clock
        self._recent = recent
        self._started = started  # seconds since 1970
        self._last: Snapshot | None = None
        self._taken_at = float("-inf")

    def snapshot(self) -> Snapshot:
        """Return what there is to see, at most FRESH seconds old."""
        now = self.clock()
        if self._last is None or now - self._taken_at >= FRESH:
            self._last, self._taken_at = self._take(now), now
        return self._last

    def _take(self, now: float) -> Snapshot:
        watched = self.watched
        config = watched.config
        sessions = [guest for guest in watched.roster if isinstance(guest, Session)]
        servers = watched.servers
        egresses = every_way(servers)
        lines = {server.name: tuple(server.gate.line) for server in servers}
        waiting = [request for line in lines.values() for request in line]
        return Snapshot(
            at=time.time(),
            version=__version__,
            started=self._started,
            phase=watched.phase,
            upstream=", ".join(_place(server) for server in servers),
            listen=tuple(watched.doors.places),
            pooling=config.upstream.pooling,
            budgets=tuple(
                _budget(egress, server.config, now)
                for server in servers
                for egress in server.egresses
            ),
            queue=_queue(servers, lines, now),
            sessions_total=len(sessions),
            sessions=tuple(_client(session, now) for session in sessions[:MOST_SESSIONS]),
            upstream_limit=sum(egress.pool.places.limit for egress in egresses),
            upstream_elsewhere=sum(egress.pool.places.elsewhere for egress in egresses),
            upstream_sessions=tuple(_upstream(servers, sessions, now)),
            classes=tuple(_classes(config, egresses, sessions, waiting)),
            refusals=self._recent.refusals,
            trouble=self._recent.trouble,
            store_lost=self._recent.store_lost,
            totals=_with_what_moves(self._recent.totals, sessions),
            store_new_for=watched.store.new_for if watched.store is not None else 0.0,
            machines=tuple(_machines(servers, now)),
        )


def _queue(
    servers: Sequence[Server], lines: Mapping[str, Sequence[Request]], now: float
) -> QueueSeen:
    since: dict[tuple[str, str], list[float]] = defaultdict(list)
    for server, line in lines.items():
        for request in line:
            since[request.source.class_name, server].append(request.since)
    classes = tuple(
        ClassQueue(name, len(moments), now - min(moments), server)
        for (name, server), moments in since.items()
    )
    limits = tuple(
        ServerQueue(one.config.queue.max_length, one.config.queue.max_wait, one.name)
        for one in servers
    )
    first = chain.from_iterable(_waiters(server, now) for server in servers)
    return QueueSeen(
        length=sum(one.length for one in classes),
        limit=sum(one.limit for one in limits),
        max_wait=max(one.max_wait for one in limits),
        oldest=max((one.oldest for one in classes), default=0.0),
        classes=classes,
        first=tuple(islice(first, MOST_WAITERS)),
        servers=limits,
    )


def _place(server: Server) -> str:
    upstream = server.config.upstream
    place = str(Address(upstream.host, upstream.port))
    return f"{server.name} {place}" if server.name else place


def _budget(egress: Egress, config: Config, now: float) -> BudgetSeen:
    budget = egress.budget
    used, is_open, taken = budget.used, budget.open, budget.taken
    next_free = budget.next_free()
    if taken < budget.limit:
        next_slot: float | None = 0.0
    else:
        next_slot = None if next_free is None else max(0.0, next_free - now)
    return BudgetSeen(
        name=name_of(egress),
        enforce=config.budget.enforce,
        open=is_open,
        cooling=used - is_open,
        elsewhere=max(0, taken - used),
        reserved=config.budget.reserved,
        limit=budget.limit,
        configured=config.budget.limit,
        connections=config.budget.connections,
        longest_hold=budget.longest_hold,
        next_slot=next_slot,
        per_second=1 / budget.interval if budget.interval else 0.0,
        banned_for=budget.banned_for,
        sessions=len(egress.pool.places),
        sessions_elsewhere=egress.pool.places.elsewhere,
        sessions_limit=egress.pool.places.limit,
        sessions_configured=egress.pool.places.configured,
        is_lowered=budget.is_lowered,
    )


def _waiters(server: Server, now: float) -> Iterator[Waiter]:
    for_a_slot = 0
    for place, request in enumerate(server.gate.line, 1):
        eta = None
        if request.blocked is Reason.BUDGET and request.kind is not None:
            for_a_slot += 1
            ways = (request.egress,) if request.egress is not None else server.egresses
            eta = slot_wait(ways, for_a_slot)
        kind = request.kind.value if request.kind is not None else "command"
        yield Waiter(
            place=place,
            source=request.source.host,
            user=_text(request.key.user) if request.key is not None else "",
            client_class=request.source.class_name,
            wants="login" if request.is_login else kind,
            errand=_text(request.errand),
            waits_for="another's listing" if request.follows else request.blocked.value,
            waited=now - request.since,
            eta=eta,
            server=server.name,
        )


def _with_what_moves(ended: Totals, sessions: Sequence[Session]) -> Totals:
    """Count the bytes of running transfers too: one long file is not nothing until its end."""
    moving = sum(session.transfer.moved for session in sessions if session.transfer is not None)
    return replace(ended, bytes_moved=ended.bytes_moved + moving)


def _client(session: Session, now: float) -> ClientSeen:
    run, borrower = session.transfer, session.borrower
    moving = run.moved if run is not None else 0
    is_down = run is None or run.job.direction.is_down
    return ClientSeen(
        id=session.id,
        source=session.host,
        user=session.user,
        client_class=session.source.class_name,
        doing=session.doing,
        phase=run.phase if run is not None else "",
        path=_text(run.job.command.argument) if run is not None else "",
        moved=moving,
        pinned_by=borrower.pinned_by,
        upstream_session=_carrier(session),
        age=now - session.started,
        commands=session.deeds.commands,
        transfers=session.deeds.transfers,
        bytes_down=session.deeds.bytes_down + (moving if is_down else 0),
        bytes_up=session.deeds.bytes_up + (0 if is_down else moving),
        server=session.backend.name,
    )


def _carrier(session: Session) -> int | None:
    """Tell which session with the server works for a client, as far as that is known."""
    run, kept = session.transfer, session.borrower.kept_session
    return run.upstream_session if kept is None and run is not None else kept


def _upstream(
    servers: Sequence[Server], sessions: Sequence[Session], now: float
) -> Iterator[UpstreamSeen]:
    holders = {_carrier(session): session.id for session in sessions}
    for server in servers:
        for egress in server.egresses:
            for seat in egress.pool.seats:
                seen = _seat(seat, name_of(egress), holders, now)
                yield replace(seen, server=server.name) if server.name else seen


def _seat(seat: Seat, budget: str, holders: dict[int | None, str], now: float) -> UpstreamSeen:
    session = seat.session
    number = session.id if session is not None else None
    return UpstreamSeen(
        id=number,
        budget=budget,
        user=_text(seat.key.user) if seat.key is not None else "",
        use=seat.use.name.lower(),
        pinned=session is not None and session.fitness is not Fitness.FIT,
        client=holders.get(number, "") if number is not None else "",
        since=now - seat.since,
        age=now - session.opened_at if session is not None else now - seat.since,
        leases=seat.leases,
    )


def _machines(servers: Sequence[Server], now: float) -> Iterator[MachineSeen]:
    """Tell of every machine, where there are several."""
    if sum(len(server.fleet.servers) for server in servers) == 1:
        return
    for server in servers:
        for machine in server.fleet.servers:
            pools = [way.pool for way in machine.ways]
            yield MachineSeen(
                address=machine.name,
                state=server.fleet.state_of(machine),
                down_for=machine.health.down_for(now),
                sessions=sum(seat.session is not None for pool in pools for seat in pool.seats),
                elsewhere=sum(pool.places.elsewhere for pool in pools),
                limit=sum(pool.places.limit for pool in pools),
                server=server.name,
            )


def _classes(
    config: Config,
    egresses: Sequence[Egress],
    sessions: Sequence[Session],
    waiting: Sequence[Request],
) -> Iterator[ClassSeen]:
    """Tell of every class that is configured, and of "" if clients are in none."""
    hosts: dict[str, set[str]] = defaultdict(set)
    counts, running = Counter[str](), Counter[str]()
    for session in sessions:
        name = session.source.class_name
        counts[name] += 1
        hosts[name].add(session.host)
        run = session.transfer
        running[name] += run is not None and run.phase not in ("queue", "refused")
    lines = Counter(request.source.class_name for request in waiting)
    known = {one.name: one for one in config.clients}
    for name in [*known, *([""] if counts[""] else [])]:
        limits = known.get(name)
        slots = [sum(egress.budget.held(host) for egress in egresses) for host in hosts[name]]
        yield ClassSeen(
            name=name,
            sources=len(hosts[name]),
            sessions=counts[name],
            transfers=running[name],
            waiting=lines[name],
            slots=sum(slots),
            most_slots_of_one=max(slots, default=0),
            limit_sessions=limits.sessions if limits else None,
            limit_transfers=limits.transfers if limits else None,
            limit_transfers_per_minute=limits.transfers_per_minute if limits else None,
            limit_bandwidth=limits.bandwidth if limits else None,
            weight=limits.weight if limits else 1.0,
        )


def _text(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")
