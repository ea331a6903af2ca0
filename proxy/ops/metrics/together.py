"""/metrics of several workers as one page: what is counted is added up, what there is now is told
from their common snapshot, and what concerns a process alone has a label `worker`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from ..snapshot import Snapshot
from .exposition import of_snapshot
from .table import LOOKED_UP, METRICS, PREFIX

Labels = tuple[tuple[str, str], ...]
Fold = Callable[[Sequence[float]], float]

# How the workers' gauges become one, where the common snapshot does not tell them.
FOLDS: Final[Mapping[str, Fold]] = {
    "config_last_reload_successful": min,
    "config_last_reload_success_timestamp_seconds": min,
    "upstream_certificate_expiry_timestamp_seconds": min,
    "ledger_divergence": sum,
    "tasks": sum,
}


class Pages(Collector):
    """The pages of the workers that have answered, by number, and what they show together."""

    def __init__(self, pages: Mapping[int, str], seen: Snapshot) -> None:
        self._seen = seen
        self._families: dict[tuple[str, str], Metric] = {}
        # One value for each worker that has the sample.
        self._values: dict[tuple[str, str], dict[tuple[str, Labels], list[float]]] = {}
        for number, page in pages.items():
            for family in text_string_to_metric_families(page):
                self._read(number, family)

    def page(self) -> bytes:
        """Return the common page."""
        return generate_latest(self)

    def collect(self) -> Iterator[Metric]:
        """Make every family: counters and processes first, then what there is now."""
        looked_up = of_snapshot(self._seen)
        gauges = {metric.exposed for metric in LOOKED_UP}
        for (name, kind), family in self._families.items():
            if kind != "gauge" or name not in gauges:
                yield self._folded(family, sum)
        for metric in LOOKED_UP:
            if metric.name in looked_up:
                gauge = GaugeMetricFamily(metric.exposed, metric.help, labels=metric.labels)
                for labels, value in looked_up[metric.name].items():
                    gauge.add_metric(labels, value)
                yield gauge
            elif (metric.exposed, "gauge") in self._families:
                family = self._families[metric.exposed, "gauge"]
                yield self._folded(family, FOLDS.get(metric.name, max))

    def _read(self, number: int, family: Metric) -> None:
        key = family.name, family.type
        self._families.setdefault(key, Metric(family.name, family.documentation, family.type))
        values = self._values.setdefault(key, {})
        for sample in family.samples:
            labels = dict(sample.labels)
            if not family.name.startswith(PREFIX):
                labels = {"worker": str(number), **labels}
            values.setdefault((sample.name, tuple(labels.items())), []).append(sample.value)

    def _folded(self, family: Metric, fold: Fold) -> Metric:
        made = Metric(family.name, family.documentation, family.type)
        for (name, labels), values in self._values[family.name, family.type].items():
            told = dict(labels)
            # Each process has its own sockets; what is left of them is the machine's.
            is_own = name == SOCKETS and told.get("state") == "open"
            made.samples.append(Sample(name, told, sum(values) if is_own else fold(values)))
        return made


SOCKETS: Final = METRICS[f"{PREFIX}upstream_sockets"].exposed
