"""The one table of metrics: names as Prometheus wants them, labels that stay few."""

from __future__ import annotations

import re

import pytest

from proxy.ops.metrics.table import COUNTED, LOOKED_UP, METRICS, Metric, Type

EVERY = pytest.mark.parametrize("metric", METRICS.values(), ids=list(METRICS))
BOUNDED = {
    "budget",
    "class",
    "event",
    "kind",
    "level",
    "listener",
    "loop",
    "outcome",
    "party",
    "phase",
    "python",
    "reason",
    "result",
    "server",
    "state",
    "status",
    "verb",
    "version",
    "worker",
}


def test_no_two_metrics_have_one_name() -> None:
    assert len(METRICS) == len(COUNTED) + len(LOOKED_UP)


@EVERY
def test_a_name_is_one_that_prometheus_takes(metric: Metric) -> None:
    assert re.fullmatch(r"ftpweir_[a-z]+(_[a-z]+)*", metric.exposed)
    assert metric.exposed.endswith("_total") == (metric.type is Type.COUNTER)


@EVERY
def test_labels_are_of_the_bounded_kind(metric: Metric) -> None:
    assert set(metric.labels) <= BOUNDED


@EVERY
def test_a_metric_is_told_in_a_sentence(metric: Metric) -> None:
    assert not metric.help[0].islower()
    assert metric.help.endswith(".")


@EVERY
def test_only_histograms_have_buckets_in_rising_order(metric: Metric) -> None:
    assert bool(metric.bounds) == (metric.type is Type.HISTOGRAM)
    assert list(metric.bounds) == sorted(set(metric.bounds))
