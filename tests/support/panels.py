"""The pictures of the Grafana dashboard: a list of panels, and the queries behind them."""

from __future__ import annotations

from dataclasses import dataclass

HERE = 'instance=~"$instance"'


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture: its queries by legend, and how it is drawn."""

    title: str
    told: str
    queries: dict[str, str]
    kind: str = "timeseries"
    unit: str = "short"
    width: int = 12
    height: int = 8
    stacked: bool = False


def figure(title: str, told: str, queries: dict[str, str], *, width: int) -> Panel:
    """Return a panel of one number."""
    return Panel(title, told, queries, "stat", width=width, height=6)


def flow(title: str, told: str, queries: dict[str, str]) -> Panel:
    """Return a panel of what happens a second, one kind above the other."""
    return Panel(title, told, queries, unit="cps", stacked=True)


def rate(metric: str, by: str = "", where: str = "") -> str:
    """Return the sum of a counter's rates."""
    grouped = f" by ({by})" if by else ""
    return f"sum{grouped} (rate({_chosen(metric, where)}[$__rate_interval]))"


def total(metric: str, by: str = "", where: str = "") -> str:
    """Return the sum of a gauge."""
    grouped = f" by ({by})" if by else ""
    return f"sum{grouped} ({_chosen(metric, where)})"


def quantile(share: float, metric: str, by: str = "") -> str:
    """Return a quantile of a histogram."""
    buckets = rate(f"{metric}_bucket", f"le, {by}" if by else "le")
    return f"histogram_quantile({share}, {buckets})"


def _chosen(metric: str, where: str) -> str:
    return f"{metric}{{{HERE}, {where}}}" if where else f"{metric}{{{HERE}}}"


USED = total("ftpweir_budget_slots", where='state=~"open|cooling|elsewhere"')
LIMIT = total("ftpweir_budget_limit_effective")

ROWS: dict[str, tuple[Panel, ...]] = {
    "At a glance": (
        Panel(
            "Budget used",
            "Of the connections the firewall tolerates.",
            {"used": f"{USED} / {LIMIT}"},
            "gauge",
            "percentunit",
            6,
            6,
        ),
        figure(
            "Waiting",
            "Commands and transfers that wait for their turn.",
            {"waiting": total("ftpweir_queue_length")},
            width=4,
        ),
        figure(
            "Clients",
            "Sessions of clients.",
            {"clients": total("ftpweir_client_sessions")},
            width=4,
        ),
        figure(
            "Ban suspected",
            "1: nothing is tried until the firewall has forgotten us.",
            {"ban": f"max(ftpweir_ban_hold_active{{{HERE}}})"},
            width=5,
        ),
        figure(
            "Server in trouble",
            "1: it could not be reached a moment ago.",
            {"trouble": f"max(ftpweir_upstream_trouble{{{HERE}}})"},
            width=5,
        ),
    ),
    "Budget and queue": (
        Panel(
            "Budget",
            "Slots by state under the limit.",
            {"{{state}}": total("ftpweir_budget_slots", "state"), "limit": LIMIT},
            stacked=True,
        ),
        Panel(
            "Queue",
            "How many wait, by class.",
            {"{{class}}": total("ftpweir_queue_length", "class")},
            stacked=True,
        ),
        Panel(
            "Oldest in the queue",
            "Against the longest that anybody may wait.",
            {
                "{{class}}": f"max by (class) (ftpweir_queue_oldest_seconds{{{HERE}}})",
                "limit": f"max(ftpweir_queue_max_wait_seconds{{{HERE}}})",
            },
            unit="s",
        ),
        Panel(
            "Wait for a turn",
            "Of transfers that were served.",
            {
                "median": quantile(0.5, "ftpweir_queue_wait_seconds"),
                "95 %": quantile(0.95, "ftpweir_queue_wait_seconds"),
                "99 %": quantile(0.99, "ftpweir_queue_wait_seconds"),
            },
            unit="s",
        ),
        flow(
            "What the queue did",
            "Transfers passed, delayed and refused.",
            {"{{status}}": rate("ftpweir_budget_admissions_total", "status")},
        ),
        Panel(
            "Slots of the greediest source",
            "By class.",
            {"{{class}}": f"max by (class) (ftpweir_source_held_slots{{{HERE}}})"},
        ),
    ),
    "Transfers": (
        flow(
            "Transfers by result",
            "Ended a second.",
            {"{{result}}": rate("ftpweir_transfers_total", "result")},
        ),
        Panel(
            "Bytes by kind",
            "Counted at the end of each transfer.",
            {"{{kind}}": rate("ftpweir_transfer_bytes_total", "kind")},
            unit="Bps",
            stacked=True,
        ),
        Panel(
            "Where the time goes",
            "95 % of transfers spend less in each phase.",
            {"{{phase}}": quantile(0.95, "ftpweir_transfer_phase_seconds", "phase")},
            unit="s",
        ),
        flow(
            "Refusals",
            "Explained refusals a second, by reason.",
            {"{{reason}}": rate("ftpweir_refusals_total", "reason")},
        ),
        flow(
            "Transfers that were not done",
            "A second, by who ended them and in which phase.",
            {"{{party}}, {{phase}}": rate("ftpweir_transfer_terminations_total", "party, phase")},
        ),
        flow(
            "Replies of the server",
            "A second, by the first digit of the code.",
            {"{{class}}": rate("ftpweir_upstream_replies_total", "class")},
        ),
        Panel(
            "How well waits are foretold",
            "Seconds between the wait for the budget as foretold and the real one.",
            {
                "median": quantile(0.5, "ftpweir_queue_eta_error_seconds"),
                "95 %": quantile(0.95, "ftpweir_queue_eta_error_seconds"),
            },
            unit="s",
        ),
        Panel(
            "Clients by class",
            "Sessions now.",
            {"{{class}}": total("ftpweir_client_sessions", "class")},
            stacked=True,
        ),
        Panel(
            "Running transfers by class",
            "Those that have had their turn.",
            {"{{class}}": total("ftpweir_transfers_running", "class")},
            stacked=True,
        ),
    ),
    "Server": (
        Panel(
            "Sessions with the server",
            "By what they do, under the limit.",
            {
                "{{state}}": total("ftpweir_upstream_sessions", "state"),
                "limit": total("ftpweir_upstream_sessions_limit"),
            },
            stacked=True,
        ),
        Panel(
            "Logins",
            "And why they fail.",
            {
                "succeeded": rate("ftpweir_upstream_logins_total"),
                "{{reason}}": rate("ftpweir_upstream_login_failures_total", "reason"),
            },
            unit="cps",
        ),
        Panel(
            "Ledger against kernel",
            "0 at rest; below 0 a connection is not counted.",
            {"{{budget}}": f"ftpweir_ledger_divergence{{{HERE}}}"},
        ),
        Panel(
            "Connections to the server",
            "As the kernel lists them.",
            {"{{state}}": total("ftpweir_upstream_sockets", "state")},
        ),
        flow(
            "Transfers by server",
            "Ended a second; the server at the top of the file has no name.",
            {"{{server}}": rate("ftpweir_transfers_total", "server")},
        ),
        Panel(
            "Bytes by server",
            "Counted at the end of each transfer.",
            {"{{server}}": rate("ftpweir_transfer_bytes_total", "server")},
            unit="Bps",
            stacked=True,
        ),
        Panel(
            "Queue by server",
            "How many wait for each.",
            {"{{server}}": total("ftpweir_queue_length", "server")},
            stacked=True,
        ),
        flow(
            "Refusals by server",
            "Explained refusals a second.",
            {"{{server}}": rate("ftpweir_refusals_total", "server")},
        ),
    ),
    "ftpweir itself": (
        Panel(
            "Late wake-ups of the event loop",
            "99 % are earlier.",
            {"99 %": quantile(0.99, "ftpweir_loop_lag_seconds")},
            unit="s",
            width=8,
        ),
        Panel(
            "Lines of the log",
            "Warnings and errors a second.",
            {"{{level}}": rate("ftpweir_log_events_total", "level", 'level=~"warning|error"')},
            unit="cps",
            width=8,
        ),
        Panel(
            "Processor and descriptors",
            "Cores, and the share of descriptors in use.",
            {
                "cores": rate("process_cpu_seconds_total"),
                "descriptors": f"process_open_fds{{{HERE}}} / process_max_fds{{{HERE}}}",
            },
            width=8,
        ),
    ),
}
