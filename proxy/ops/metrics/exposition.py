"""/metrics: the tally and a snapshot as Prometheus reads them. Everything is looked up when asked.

The registry is our own: nothing that a library registers by itself appears here.
"""

from __future__ import annotations

import asyncio
import platform
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from proxy.upstream.egress import Egress
from proxy.upstream.seat import Use

from ..lookout import Lookout
from ..snapshot import BudgetSeen, Snapshot
from ..watched import every_way, name_of
from .server_sockets import Search, Sockets, count
from .table import COUNTED, LOOKED_UP, PREFIX, Type
from .tally import Labels, Tally

# The format that every Prometheus takes; OpenMetrics forbids `x` beside `x_total`.
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
READINGS: Final = 3  # at most: a true divergence is there each time
RECOUNT_AFTER: Final = 5.0  # seconds; reading the kernel's table of sockets is the costly part
TROUBLE_LASTS: Final = 10.0  # seconds after which an old failure says nothing of now

Samples = dict[Labels, float]


class Metrics(Collector):
    """Exposes what there is to count."""

    def __init__(self, tally: Tally, lookout: Lookout) -> None:
        self._tally = tally
        self._lookout = lookout
        self._reality = Reality(lookout)
        self._of: Snapshot | None = None
        self._written = b""
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    async def page(self) -> bytes:
        """Return /metrics, written once a snapshot; the sockets are counted in a thread."""
        await self._reality.refresh()
        if (seen := self._lookout.snapshot()) is not self._of:
            self._of, self._written = seen, generate_latest(self._registry)
        return self._written

    @property
    def _store_calls(self) -> dict[str, Counter[Labels]]:
        store = self._lookout.watched.store
        calls, failures = (store.calls, store.failures) if store is not None else (0, 0)
        return {"store_calls": Counter({(): calls}), "store_call_failures": Counter({(): failures})}

    @property
    def _store_state(self) -> dict[str, Samples]:
        """Where nothing is shared there is nothing to tell."""
        store = self._lookout.watched.store
        if store is None:
            return {"store_up": {}, "store_degraded": {}, "store_latency_seconds": {}}
        return {
            "store_up": {(): not store.is_lost},
            "store_degraded": {(): store.is_cut_off},
            "store_latency_seconds": {} if store.latency is None else {(): store.latency},
        }

    @property
    def _replies(self) -> Counter[Labels]:
        """Counted where they are read: an event for each would cost more than it tells."""
        return Counter(
            {
                (name_of(egress), f"{digit}xx"): egress.pool.dialer.replies[digit]
                for egress in every_way(self._lookout.watched.servers)
                for digit in range(1, 6)
            }
        )

    @property
    def _certificate(self) -> Samples:
        until = self._tally.certificate_until
        return {} if until is None else {(): until}

    def describe(self) -> list[Metric]:
        """Promise nothing: the registry would collect once just to learn the names."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Make every family of the metric table."""
        snapshot = self._lookout.snapshot()
        counters = self._tally.counters | {"upstream_replies": self._replies} | self._store_calls
        for metric in COUNTED:
            labels, name = list(metric.labels), PREFIX + metric.name
            if metric.type is Type.COUNTER:
                counter = CounterMetricFamily(name, metric.help, labels=labels)
                for values, number in counters[metric.name].items():
                    counter.add_metric(values, number)
                yield counter
            else:
                family = HistogramMetricFamily(name, metric.help, labels=labels)
                for values, histogram in self._tally.histograms[metric.name].items():
                    bounds = [*map(str, histogram.bounds), "+Inf"]
                    buckets = list(zip(bounds, accumulate(histogram.counts), strict=True))
                    family.add_metric(values, buckets, histogram.sum)
                yield family
        looked_up: dict[str, Samples] = {
            "build_info": {_build(snapshot): 1},
            "tasks": {(): len(asyncio.all_tasks())},
            "config_last_reload_successful": {(): not self._tally.reload_failed},
            "config_last_reload_success_timestamp_seconds": {(): self._tally.configured_at},
            "upstream_certificate_expiry_timestamp_seconds": self._certificate,
            **self._store_state,
            **of_snapshot(snapshot),
            **self._reality.samples(),
        }
        for metric in LOOKED_UP:
            gauge = GaugeMetricFamily(PREFIX + metric.name, metric.help, labels=metric.labels)
            for values, value in looked_up[metric.name].items():
                gauge.add_metric(values, value)
            yield gauge


class Reality:
    """Our open sockets as the kernel lists them, compared with the ledger's open slots."""

    def __init__(self, lookout: Lookout) -> None:
        self._watched, self._clock = lookout.watched, lookout.clock
        self._servers: dict[str, set[str]] = {}  # by budget; kept when its sessions are gone
        self._counted_at = float("-inf")
        self._sockets: Samples = {}
        self._divergence: Samples = {}

    async def refresh(self) -> None:
        """Count anew, unless that was done a moment ago."""
        now = self._clock()
        if now - self._counted_at < RECOUNT_AFTER:
            return
        self._counted_at = now
        self._divergence.clear()
        for _ in range(READINGS):
            await self._read()
            if not any(self._divergence.values()):
                break

    async def _read(self) -> None:
        egresses = every_way(self._watched.servers)
        before = [egress.budget.open for egress in egresses]
        found = await asyncio.to_thread(count, self._searches(egresses))
        for egress, was, sockets in zip(egresses, before, found, strict=True):
            self._note(name_of(egress), sorted((was, egress.budget.open)), sockets)

    def samples(self) -> dict[str, Samples]:
        """Return the metrics that come of it."""
        return {"upstream_sockets": self._sockets, "ledger_divergence": self._divergence}

    def _note(self, budget: str, slots: list[int], sockets: Sockets) -> None:
        self._sockets[budget, "open"] = sockets.open
        self._sockets[budget, "time_wait"] = sockets.time_wait
        # While the table was read the ledger went on: whatever lies between is no divergence.
        least, most = slots
        divergence = min(max(sockets.open, least), most) - sockets.open
        known = self._divergence.setdefault((budget,), divergence)
        self._divergence[(budget,)] = min(divergence, known, key=abs)

    def _searches(self, egresses: Sequence[Egress]) -> list[Search]:
        config = self._watched.config
        passive = config.passive.ports
        ports = {int(place.rpartition(":")[2]) for place in self._watched.doors.places}
        ports.update(range(passive.first, passive.last + 1))
        for egress in egresses:
            known = self._servers.setdefault(name_of(egress), set())
            seats = (seat.session for seat in egress.pool.seats)
            known.update(session.host for session in seats if session is not None)
        return [
            Search(egress.address, self._servers[name_of(egress)], ports) for egress in egresses
        ]


def of_snapshot(snapshot: Snapshot) -> dict[str, Samples]:
    """Return the gauges that a snapshot tells, by name."""
    return {
        **_of_process(snapshot),
        **_of_budgets(snapshot),
        **_of_sessions(snapshot),
        **_of_queue(snapshot),
    }


def _build(snapshot: Snapshot) -> Labels:
    loop = type(asyncio.get_running_loop()).__module__.partition(".")[0]
    return snapshot.version, platform.python_version(), loop


def _of_process(snapshot: Snapshot) -> dict[str, Samples]:
    trouble = snapshot.trouble
    is_troubled = (
        trouble is not None and not trouble.is_over and snapshot.at - trouble.at < TROUBLE_LASTS
    )
    return {
        "start_time_seconds": {(): snapshot.started},
        "worker_up": {(str(one.number),): one.answers for one in snapshot.workers},
        "draining": {(): snapshot.phase.is_ending},
        "upstream_trouble": {(): is_troubled},
    }


def _of_budgets(snapshot: Snapshot) -> dict[str, Samples]:
    told: dict[str, Callable[[BudgetSeen], float | None]] = {
        "budget_limit": lambda one: one.configured,
        "budget_limit_effective": lambda one: one.limit,
        "budget_over_limit": lambda one: max(0, one.used + one.elsewhere - one.limit),
        "budget_hold_seconds": lambda one: one.longest_hold,
        "budget_next_slot_seconds": lambda one: one.next_slot,
        "budget_capacity_per_second": lambda one: one.per_second,
        "ban_hold_active": lambda one: one.banned_for > 0,
    }
    samples: dict[str, Samples] = {
        name: {
            (budget.name,): value
            for budget in snapshot.budgets
            if (value := of(budget)) is not None
        }
        for name, of in told.items()
    }
    samples["budget_slots"] = {
        (budget.name, state): getattr(budget, state)
        for budget in snapshot.budgets
        for state in ("open", "cooling", "elsewhere", "reserved")
    }
    return samples


def _of_sessions(snapshot: Snapshot) -> dict[str, Samples]:
    states: Samples = {
        (budget.name, use.name.lower()): 0 for budget in snapshot.budgets for use in Use
    }
    pinned: Samples = {(budget.name,): 0 for budget in snapshot.budgets}
    for session in snapshot.upstream_sessions:
        states[session.budget, session.use] += 1
        pinned[(session.budget,)] += session.pinned
    classes = snapshot.classes
    caps = {(one.name,): one.limit_sessions for one in classes}
    return {
        "upstream_sessions": states,
        "upstream_sessions_pinned": pinned,
        "upstream_sessions_limit": {
            (budget.name,): budget.sessions_limit for budget in snapshot.budgets
        },
        "client_sessions": {(one.name,): one.sessions for one in classes},
        "client_sessions_limit": {key: cap for key, cap in caps.items() if cap is not None},
        "transfers_running": {(one.name,): one.transfers for one in classes},
        "source_held_slots": {(one.name,): one.most_slots_of_one for one in classes},
    }


def _of_queue(snapshot: Snapshot) -> dict[str, Samples]:
    queue = snapshot.queue
    nobody: Samples = {
        (one.name, server.server): 0 for one in snapshot.classes for server in queue.servers
    }
    waiting = {(one.client_class, one.server): one for one in queue.classes}
    return {
        "queue_length": nobody | {labels: one.length for labels, one in waiting.items()},
        "queue_oldest_seconds": nobody | {labels: one.oldest for labels, one in waiting.items()},
        "queue_limit": {(one.server,): one.limit for one in queue.servers},
        "queue_max_wait_seconds": {(one.server,): one.max_wait for one in queue.servers},
    }
