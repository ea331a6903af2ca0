"""Every metric: its name, kind, labels and meaning. Counts nothing itself.

/metrics, docs/OPERATIONS.md and the tests of dashboard and alerts read this one table. Labels are
bounded: configured classes and servers (the one at the top of the file has an empty name, as if it
had no label), fixed words and our own addresses, never a client's address or name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Type(StrEnum):
    """The kinds that Prometheus knows."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One family of /metrics. The name lacks the prefix, and a counter's `_total`."""

    name: str
    type: Type
    labels: tuple[str, ...]
    help: str
    bounds: tuple[float, ...] = ()  # of a histogram's buckets

    @property
    def exposed(self) -> str:
        """The name under which a query finds it."""
        return f"{PREFIX}{self.name}" + ("_total" if self.type is Type.COUNTER else "")


PREFIX: Final = "ftpweir_"

WAITS: Final = (0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 60.0, 120.0, 300.0, 600.0)
DURATIONS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0, 600.0)
LAGS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


def _counter(name: str, labels: str, told: str) -> Metric:
    return Metric(name, Type.COUNTER, tuple(labels.split()), told)


def _gauge(name: str, labels: str, told: str) -> Metric:
    return Metric(name, Type.GAUGE, tuple(labels.split()), told)


def _histogram(name: str, labels: str, bounds: tuple[float, ...], told: str) -> Metric:
    return Metric(name, Type.HISTOGRAM, tuple(labels.split()), told, bounds)


# What the collector counts as it happens, event by event.
COUNTED: Final = (
    _counter("client_sessions", "class result", "Client sessions that have ended, and how."),
    _counter("transfers", "class kind result server", "Transfers that have ended, and how."),
    _counter(
        "transfer_bytes",
        "class kind server",
        "Bytes handed to the receiving side, counted at the end of each transfer.",
    ),
    _counter(
        "transfer_heals",
        "class kind server",
        "Times that the server's part of a transfer broke and was taken up again.",
    ),
    _histogram(
        "transfer_duration_seconds",
        "kind server",
        DURATIONS,
        "From command to final reply, of transfers that were done.",
    ),
    _histogram(
        "transfer_phase_seconds",
        "phase",
        DURATIONS,
        "The same by phase: queue, prepare, open, data, final.",
    ),
    _histogram(
        "queue_wait_seconds",
        "class outcome server",
        WAITS,
        "What transfers waited for their turn, by outcome: served, refused or left.",
    ),
    _counter(
        "budget_admissions",
        "class kind status server",
        "Transfers by what the queue did to them: passed, delayed (a tenth of a second or more) or "
        "refused.",
    ),
    _counter(
        "budget_shadow_waits", "kind", "With enforce: shadow, transfers that would have waited."
    ),
    _histogram(
        "budget_shadow_wait_seconds", "", WAITS, "With enforce: shadow, how long they would have."
    ),
    _histogram(
        "queue_eta_error_seconds",
        "",
        WAITS,
        "How far the wait for the budget, as foretold when it began, was from the real one; of "
        "transfers that were served.",
    ),
    _counter(
        "transfer_terminations",
        "party phase server",
        "Transfers that were not done, by who ended them (client, server, either of the two, a "
        "limit of ours, or the proxy) and in which phase.",
    ),
    _counter("refusals", "reason class server", "Explained refusals that clients have heard."),
    _counter("upstream_logins", "", "Logins at the server that succeeded."),
    _counter(
        "upstream_login_failures",
        "reason",
        "Logins at the server that failed: `login` (wrong password), or why no session was had.",
    ),
    _histogram(
        "upstream_login_seconds", "", DURATIONS, "From the SYN to the server's 230, of successes."
    ),
    _counter("upstream_closes", "reason", "Sessions with the server that have ended, and why."),
    _counter(
        "upstream_leases", "", "How often sessions with the server were lent, counted at their end."
    ),
    _counter(
        "upstream_session_pins", "verb", "Clients pinned to one session, by the verb that did it."
    ),
    _counter(
        "upstream_replies", "budget class", "Replies of the server, by the first digit of the code."
    ),
    _counter("ban_holds", "", "Times that a ban was suspected."),
    _counter("store_calls", "", "Calls to the shared store, answered or not."),
    _counter("store_call_failures", "", "Calls to the shared store that were not answered."),
    _counter("store_losses", "", "Times that the shared store could not be reached any more."),
    _counter("log_events", "event level", "Lines of the log, written or not, by level."),
    _counter(
        "events_missed",
        "listener",
        "Events that a listener could not take: `log`, whose lines are lost; any other one by a "
        "fault of ours.",
    ),
    _histogram("loop_lag_seconds", "", LAGS, "How late the event loop wakes up, twice a second."),
)

# What is looked up when somebody asks.
LOOKED_UP: Final = (
    _gauge("build_info", "version python loop", "Always 1."),
    _gauge("start_time_seconds", "", "When ftpweir began to serve, in seconds since 1970."),
    _gauge("tasks", "", "Tasks of the event loop: what goes on at once."),
    _gauge("worker_up", "worker", "With --workers: 1 while the worker answers."),
    _gauge("draining", "", "1 from when ftpweir is told to end."),
    _gauge("config_last_reload_successful", "", "0 after a reload was refused; 1 at the start."),
    _gauge(
        "config_last_reload_success_timestamp_seconds",
        "",
        "When the configuration in force was read, in seconds since 1970.",
    ),
    _gauge("store_latency_seconds", "", "How long the shared store's last answer took."),
    _gauge(
        "store_degraded",
        "",
        "1 once the shared store has been away for longer than the lease: `sharing.on_store_down`.",
    ),
    _gauge("store_up", "", "With a shared store: 0 while it cannot be reached."),
    _gauge("client_sessions", "class", "Client sessions there are."),
    _gauge("client_sessions_limit", "class", "The most that one source of the class may have."),
    _gauge("transfers_running", "class", "Transfers that have had their turn and are not over."),
    _gauge("upstream_sessions", "budget state", "Sessions with the server, by what they do."),
    _gauge("upstream_sessions_pinned", "budget", "Those that a client keeps, unfit for others."),
    _gauge("upstream_sessions_limit", "budget", "As many as the server allows, or is seen to."),
    _gauge("upstream_trouble", "", "1 while the server could not be reached a moment ago."),
    _gauge(
        "upstream_sockets",
        "budget state",
        "Connections to the server as the kernel lists them: open (of this process), and time_wait "
        "(of this machine; only the side that closes first has it).",
    ),
    _gauge(
        "ledger_divergence",
        "budget",
        "Open slots less open sockets: below 0 is a connection nobody counted.",
    ),
    _gauge(
        "budget_slots",
        "budget state",
        "Slots that are open, cooling, taken elsewhere (by instances that share the budget), or "
        "reserved.",
    ),
    _gauge(
        "upstream_certificate_expiry_timestamp_seconds",
        "",
        "When the server's certificate expires, in seconds since 1970; absent without TLS.",
    ),
    _gauge("budget_limit", "budget", "Slots the configuration lets us use."),
    _gauge(
        "budget_limit_effective",
        "budget",
        "The same, lower after a suspected ban, here or elsewhere.",
    ),
    _gauge("budget_over_limit", "budget", "Slots above the limit; 0 unless it was lowered."),
    _gauge("budget_hold_seconds", "budget", "The longest that a closed connection counts."),
    _gauge("budget_next_slot_seconds", "budget", "Until a slot is free; 0: one is free now."),
    _gauge("budget_capacity_per_second", "budget", "Connections a second the budget can carry."),
    _gauge("ban_hold_active", "budget", "1 while nothing is tried because a ban is suspected."),
    _gauge("source_held_slots", "class", "Slots of the source that holds most of its class."),
    _gauge("queue_length", "class server", "Commands and transfers that wait."),
    _gauge("queue_oldest_seconds", "class server", "How long the one has waited that came first."),
    _gauge("queue_limit", "server", "The most that may wait."),
    _gauge("queue_max_wait_seconds", "server", "The longest that one may wait."),
)

METRICS: Final[Mapping[str, Metric]] = {metric.exposed: metric for metric in COUNTED + LOOKED_UP}
