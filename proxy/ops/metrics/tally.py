"""Counts deeds as they are announced: plain integers, which /metrics reads when it is asked.

Called on the hot path, so it neither locks nor allocates more than a dictionary's key.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from proxy import events
from proxy.events import Event, Result
from proxy.ftp.command import COMMANDS
from proxy.refusals import OF_TURN, REFUSALS, Party
from proxy.session.stopwatch import PHASES

from ..logs import name_and_level
from .table import COUNTED, Type

Labels = tuple[str, ...]

DELAYED: Final = 0.1  # seconds; a shorter wait is a passage
# Who ended a transfer, by its result.
ENDED_BY: Final[Mapping[str, Party]] = {
    Result.ABORTED: Party.CLIENT,
    Result.CLIENT_CLOSED: Party.CLIENT,
    Result.REFUSED_BY_SERVER: Party.SERVER,
    **{reason: row.party for reason, row in REFUSALS.items()},
}


class Histogram:
    """Counts values by bucket; a value equal to a bound is inside it."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


class Tally:
    """All counters and histograms of the metric table, by name and labels' values."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock  # seconds since 1970
        self.counters: dict[str, Counter[Labels]] = {
            metric.name: Counter() for metric in COUNTED if metric.type is Type.COUNTER
        }
        self.histograms: dict[str, dict[Labels, Histogram]] = {
            metric.name: {} for metric in COUNTED if metric.type is Type.HISTOGRAM
        }
        self._bounds = {metric.name: metric.bounds for metric in COUNTED}
        for metric in COUNTED:
            if not metric.labels:  # there from the start, so that a rate is seen from the first
                if metric.type is Type.COUNTER:
                    self.counters[metric.name][()] = 0
                else:
                    self._histogram(metric.name)
        self._phases = [self._histogram("transfer_phase_seconds", phase) for phase in PHASES]
        self.reload_failed = False
        self.configured_at = clock()
        self.certificate_until: float | None = None  # the server's; None: none was shown

    def __call__(self, event: Event) -> None:
        """Count one deed."""
        self.counters["log_events"][name_and_level(event)] += 1
        match event:
            case events.TransferEnded():
                self._transfer(event)
            case events.SessionEnded():
                self._count("client_sessions", event.client_class, event.reason)
            case events.Refused():
                self._count("refusals", event.reason, event.client_class, event.server)
            case events.UpstreamOpened():
                self._count("upstream_logins")
                self.observe("upstream_login_seconds", event.seconds)
                self.certificate_until = event.certificate_until
            case events.UpstreamClosed():
                self._count("upstream_closes", event.reason)
                self._count("upstream_leases", by=event.leases)
            case events.UpstreamRefused():
                self._count("upstream_login_failures", event.reason)
            case events.LoginFailed():
                self._count("upstream_login_failures", "login")
            case events.Pinned():
                # A client may send any word: only those we know may become a label.
                verb = event.verb.partition(" ")[0]
                self._count("upstream_session_pins", verb if verb in COMMANDS else "other")
            case events.ShadowWait():
                self._count("budget_shadow_waits", event.kind)
                self.observe("budget_shadow_wait_seconds", event.wait)
            case events.BanSuspected():
                self._count("ban_holds")
            case events.StoreLost():
                self._count("store_losses")
            case events.Reloaded():
                self.reload_failed, self.configured_at = False, self._clock()
            case events.ReloadRefused():
                self.reload_failed = True
            case _:
                pass  # the others are counted as lines of the log

    def observe(self, name: str, value: float, *labels: str) -> None:
        """Add one value to a histogram."""
        self._histogram(name, *labels).add(value)

    def _transfer(self, event: events.TransferEnded) -> None:
        counters, server = self.counters, event.server
        of_class, kind = event.client_class, event.kind
        counters["transfers"][of_class, kind, event.result, server] += 1
        counters["transfer_bytes"][of_class, kind, server] += event.moved
        if event.heals:
            self._count("transfer_heals", of_class, kind, server, by=event.heals)
        if event.result in OF_TURN:
            status = outcome = "refused"
        else:
            status = "delayed" if event.queue >= DELAYED else "passed"
            outcome = "served" if event.upstream_session is not None else "left"
        counters["budget_admissions"][of_class, kind, status, server] += 1
        if event.misjudged is not None:
            self.observe("queue_eta_error_seconds", event.misjudged)
        self.observe("queue_wait_seconds", event.queue, of_class, outcome, server)
        if event.result == Result.DONE:
            phases = (event.queue, event.prepare, event.open, event.data, event.final)
            self.observe("transfer_duration_seconds", sum(phases), kind, server)
            for histogram, seconds in zip(self._phases, phases, strict=True):
                histogram.add(seconds)
        else:
            party = ENDED_BY[event.result].value
            self._count("transfer_terminations", party, _phase(event), server)

    def _count(self, name: str, *labels: str, by: int = 1) -> None:
        self.counters[name][labels] += by

    def _histogram(self, name: str, *labels: str) -> Histogram:
        known = self.histograms[name]
        found = known.get(labels)
        if found is None:
            found = known[labels] = Histogram(self._bounds[name])
        return found


def _phase(event: events.TransferEnded) -> str:
    """Name the phase that it never finished."""
    if event.upstream_session is None:
        return PHASES[0]
    finished = (event.queue, event.prepare, event.open, event.data)
    return PHASES[sum(1 for seconds in finished if seconds)]
