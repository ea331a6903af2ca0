"""The Grafana dashboard, made from a list of panels: `python -m tests.support.dashboard` writes it.

tests/unit/ops/test_dashboards.py compares the file with this list, and the list with the metrics.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .programs import CHECKOUT

FILE = CHECKOUT / "config" / "grafana" / "ftpweir.json"
WIDTH = 24  # columns of Grafana's grid
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
        Panel(
            "Waiting",
            "Commands and transfers that wait for their turn.",
            {"waiting": total("ftpweir_queue_length")},
            "stat",
            width=4,
            height=6,
        ),
        Panel(
            "Clients",
            "Sessions of clients.",
            {"clients": total("ftpweir_client_sessions")},
            "stat",
            width=4,
            height=6,
        ),
        Panel(
            "Ban suspected",
            "1: nothing is tried until the firewall has forgotten us.",
            {"ban": f"max(ftpweir_ban_hold_active{{{HERE}}})"},
            "stat",
            width=5,
            height=6,
        ),
        Panel(
            "Server in trouble",
            "1: it could not be reached a moment ago.",
            {"trouble": f"max(ftpweir_upstream_trouble{{{HERE}}})"},
            "stat",
            width=5,
            height=6,
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
        Panel(
            "What the queue did",
            "Transfers passed, delayed and refused.",
            {"{{status}}": rate("ftpweir_budget_admissions_total", "status")},
            unit="cps",
            stacked=True,
        ),
        Panel(
            "Slots of the greediest source",
            "By class.",
            {"{{class}}": f"max by (class) (ftpweir_source_held_slots{{{HERE}}})"},
        ),
    ),
    "Transfers": (
        Panel(
            "Transfers by result",
            "Ended a second.",
            {"{{result}}": rate("ftpweir_transfers_total", "result")},
            unit="cps",
            stacked=True,
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
        Panel(
            "Refusals",
            "Explained refusals a second, by reason.",
            {"{{reason}}": rate("ftpweir_refusals_total", "reason")},
            unit="cps",
            stacked=True,
        ),
        Panel(
            "Transfers that were not done",
            "A second, by who ended them and in which phase.",
            {"{{party}}, {{phase}}": rate("ftpweir_transfer_terminations_total", "party, phase")},
            unit="cps",
            stacked=True,
        ),
        Panel(
            "Replies of the server",
            "A second, by the first digit of the code.",
            {"{{class}}": rate("ftpweir_upstream_replies_total", "class")},
            unit="cps",
            stacked=True,
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


def dashboard() -> dict[str, Any]:
    """Return the dashboard as Grafana imports it."""
    panels: list[dict[str, Any]] = []
    top = 0
    for title, row in ROWS.items():
        place = {"x": 0, "y": top, "w": WIDTH, "h": 1}
        panels.append({"type": "row", "title": title, "gridPos": place, "collapsed": False})
        left, top = 0, top + 1
        for panel in row:
            if left + panel.width > WIDTH:
                left, top = 0, top + panel.height
            place = {"x": left, "y": top, "w": panel.width, "h": panel.height}
            panels.append(_panel(panel, place))
            left += panel.width
        top += row[-1].height
    for number, made in enumerate(panels, 1):
        made["id"] = number
    return {
        "uid": "ftpweir",
        "title": "ftpweir",
        "tags": ["ftp"],
        "schemaVersion": 38,
        "refresh": "15s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": _variables()},
        "panels": panels,
    }


def _panel(panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    targets = [
        {"refId": chr(ord("A") + at), "expr": expression, "legendFormat": legend}
        for at, (legend, expression) in enumerate(panel.queries.items())
    ]
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0}
    if panel.title == "Ledger against kernel":
        del defaults["min"]
    if panel.kind == "gauge":
        steps = [
            {"color": "green", "value": None},
            {"color": "orange", "value": 0.9},
            {"color": "red", "value": 1},
        ]
        defaults |= {"max": 1, "thresholds": {"mode": "absolute", "steps": steps}}
    if panel.kind == "timeseries":
        mode = "normal" if panel.stacked else "none"
        defaults["custom"] = {"fillOpacity": 30 if panel.stacked else 0, "stacking": {"mode": mode}}
    limit = {
        "matcher": {"id": "byName", "options": "limit"},
        "properties": [
            {"id": "custom.stacking", "value": {"mode": "none"}},
            {"id": "custom.fillOpacity", "value": 0},
            {"id": "color", "value": {"mode": "fixed", "fixedColor": "red"}},
        ],
    }
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.told,
        "gridPos": place,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "fieldConfig": {
            "defaults": defaults,
            "overrides": [limit] if "limit" in panel.queries else [],
        },
        "targets": targets,
    }


def _variables() -> list[dict[str, Any]]:
    source = {"type": "datasource", "name": "datasource", "query": "prometheus", "label": "Source"}
    instance = {
        "type": "query",
        "name": "instance",
        "label": "Instance",
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "query": "label_values(ftpweir_build_info, instance)",
        "refresh": 2,
        "includeAll": True,
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
    }
    return [source, instance]


def written() -> str:
    """Return the file's text."""
    return json.dumps(dashboard(), indent=2) + "\n"


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(written())
