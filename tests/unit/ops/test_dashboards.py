"""Dashboard and alerts ask only for metrics that exist, with labels that they have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from proxy.ops.metrics.table import METRICS, Type
from proxy.refusals import Reason
from tests.support.dashboard import FILE, dashboard, written
from tests.support.panels import ROWS
from tests.support.programs import CHECKOUT

RULES = CHECKOUT / "config" / "prometheus" / "rules.yaml"
TRIALS = CHECKOUT / "config" / "prometheus" / "tests.yaml"
OPERATIONS = CHECKOUT / "docs" / "OPERATIONS.md"

# Not ours: Prometheus' own, and what every program tells of itself.
OTHERS = {"up", "process_cpu_seconds_total", "process_open_fds", "process_max_fds"}
ADDED = {"instance", "job", "le"}
SELECTOR = re.compile(r"\b(ftpweir_\w+|process_\w+|up)\b(?:\{([^}]*)\})?")
SUFFIXES = ("_bucket", "_sum", "_count")


def rules() -> list[dict[str, str]]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    found: list[dict[str, str]] = group["rules"]
    return found


def asked() -> Iterator[str]:
    for rule in rules():
        yield rule["expr"]
    for row in ROWS.values():
        for panel in row:
            yield from panel.queries.values()


def selectors() -> Iterator[tuple[str, list[str]]]:
    """Tell every metric that is asked for, and the labels it is asked by."""
    for expression in asked():
        for name, inside in SELECTOR.findall(expression):
            yield name, re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", inside)


def plain(name: str) -> str:
    """Return the metric behind a histogram's sample."""
    for suffix in SUFFIXES:
        if name.endswith(suffix) and METRICS.get(name.removesuffix(suffix)):
            assert METRICS[name.removesuffix(suffix)].type is Type.HISTOGRAM
            return name.removesuffix(suffix)
    return name


def test_only_metrics_that_exist_are_asked_for() -> None:
    assert {plain(name) for name, _ in selectors()} - OTHERS <= set(METRICS)


def test_only_labels_that_they_have_are_asked_by() -> None:
    for name, labels in selectors():
        if name not in OTHERS:
            assert set(labels) - ADDED <= set(METRICS[plain(name)].labels), name


def test_what_is_grouped_by_is_a_label_of_something_asked_for() -> None:
    for expression in asked():
        groups = re.findall(r"by \(([^)]*)\)", expression)
        wanted = {label.strip() for group in groups for label in group.split(",")}
        names = {plain(name) for name, _ in SELECTOR.findall(expression)} - OTHERS
        known = {label for name in names for label in METRICS[name].labels}
        assert wanted - ADDED <= known, expression


def test_results_that_alerts_ask_for_are_reasons() -> None:
    asked_for = re.findall(r'result=~?"([^"]*)"', "".join(rule["expr"] for rule in rules()))
    words = {word for one in asked_for for word in one.split("|")}
    assert words
    assert words <= {reason.value for reason in Reason}


def test_every_alert_says_what_happened_and_where_to_begin() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    for rule in yaml.safe_load(RULES.read_text())["groups"][0]["rules"]:
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert set(rule["annotations"]) == {"summary", "remedy"}


def test_every_alert_is_tried_when_it_should_fire_and_when_not() -> None:
    outcomes: dict[str, set[bool]] = {rule["alert"]: set() for rule in rules()}
    for trial in yaml.safe_load(TRIALS.read_text())["tests"]:
        for moment in trial["alert_rule_test"]:
            outcomes[moment["alertname"]].add(bool(moment["exp_alerts"]))
    assert [name for name, seen in outcomes.items() if seen != {True, False}] == []


def test_every_alert_is_in_the_runbook() -> None:
    text = OPERATIONS.read_text()
    assert [rule["alert"] for rule in rules() if f"`{rule['alert']}`" not in text] == []


@pytest.mark.parametrize("path", [FILE], ids=["ftpweir.json"])
def test_the_dashboard_is_what_its_list_of_panels_says(path: Path) -> None:
    """To mend: python -m tests.support.dashboard"""
    assert path.read_text() == written()


def test_no_two_panels_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + right, place["y"] + down)
            for right in range(place["w"])
            for down in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        assert all(x < 24 for x, _ in cells)
        taken |= cells
