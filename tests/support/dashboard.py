"""The Grafana dashboard, made from a list of panels: `python -m tests.support.dashboard` writes it.

tests/unit/ops/test_dashboards.py compares the file with that list, and the list with the metrics.
"""

from __future__ import annotations

import json
from typing import Any

from .panels import ROWS, Panel
from .programs import CHECKOUT

FILE = CHECKOUT / "config" / "grafana" / "ftpweir.json"
WIDTH = 24  # columns of Grafana's grid


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
