"""The metrics of a real process under load, beside what the kernel says of it."""

from __future__ import annotations

import time
import urllib.request
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from loadtest.ports import free_port
from proxy.ops.metrics.exposition import RECOUNT_AFTER
from tests.support.crowd import crowd, many
from tests.support.proxy import Ftpweir
from tests.support.servers import Vsftpd
from tests.support.users import USERS
from tests.support.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(120)]

FILE = "report.csv"
LOOKS = 3


def scraped(place: str) -> dict[str, float]:
    """Return every sample by its name, those with labels summed up."""
    with urllib.request.urlopen(f"http://{place}/metrics", timeout=20) as answer:
        page = answer.read().decode()
    samples: dict[str, float] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            samples[sample.name] = samples.get(sample.name, 0.0) + sample.value
    return samples


def test_the_ledger_counts_no_less_than_the_kernel_and_at_rest_as_much() -> None:
    place = f"127.0.0.1:{free_port()}"
    # An address of its own, so that clients are not taken for the server.
    with Vsftpd(host="127.5.0.1") as server:
        for user in USERS:
            (server.home(user) / FILE).write_bytes(bytes(200_000))
        sections: dict[str, Any] = {"upstream": {"sessions": 4}, "budget": {"time_wait": "1s"}}
        with Ftpweir(server, status=place, **sections) as proxy:
            with crowd(proxy.port, many(12, FILE)):
                for _ in range(LOOKS):
                    counted = scraped(place)
                    assert counted["ftpweir_ledger_divergence"] >= 0, counted
                    time.sleep(RECOUNT_AFTER)
                until(lambda: scraped(place)["ftpweir_transfers_total"] > 20, "transfers", 30)
            until(lambda: not scraped(place)["ftpweir_client_sessions"], "all have left", 20)
            time.sleep(RECOUNT_AFTER)
            at_rest = scraped(place)
    assert at_rest["ftpweir_upstream_sockets"] >= 1
    assert 0 <= at_rest["ftpweir_ledger_divergence"] <= 2
    assert at_rest["ftpweir_loop_lag_seconds_count"] > 10
