"""The pages of several workers made one, read back by Prometheus' own parser."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from proxy.ops.metrics.together import Pages
from proxy.ops.together import one_snapshot

from ..test_together import ONE, OTHER

PAGE = """# HELP ftpweir_transfers_total Transfers that have ended, and how.
# TYPE ftpweir_transfers_total counter
ftpweir_transfers_total{{class="a",kind="download",result="done"}} {count}.0
# HELP ftpweir_client_sessions_total Client sessions that have ended, and how.
# TYPE ftpweir_client_sessions_total counter
ftpweir_client_sessions_total{{class="a",result="quit"}} {count}.0
# HELP ftpweir_client_sessions Client sessions there are.
# TYPE ftpweir_client_sessions gauge
ftpweir_client_sessions{{class="nightly"}} 99.0
# HELP ftpweir_upstream_login_seconds From the SYN to the server's 230, of successes.
# TYPE ftpweir_upstream_login_seconds histogram
ftpweir_upstream_login_seconds_bucket{{le="0.1"}} {count}.0
ftpweir_upstream_login_seconds_bucket{{le="+Inf"}} {count}.0
ftpweir_upstream_login_seconds_count {count}.0
ftpweir_upstream_login_seconds_sum 0.5
# HELP ftpweir_upstream_sockets Connections.
# TYPE ftpweir_upstream_sockets gauge
ftpweir_upstream_sockets{{budget="default",state="open"}} {count}.0
ftpweir_upstream_sockets{{budget="default",state="time_wait"}} 7.0
# HELP ftpweir_config_last_reload_successful Whether.
# TYPE ftpweir_config_last_reload_successful gauge
ftpweir_config_last_reload_successful {sound}
# HELP process_open_fds Number of open file descriptors.
# TYPE process_open_fds gauge
process_open_fds {count}0.0
"""

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def told() -> Samples:
    pages = {1: PAGE.format(count=1, sound=1.0), 3: PAGE.format(count=2, sound=0.0)}
    page = Pages(pages, one_snapshot([ONE, None, OTHER])).page().decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def test_what_is_counted_is_added_up(told: Samples) -> None:
    labels = (("class", "a"), ("kind", "download"), ("result", "done"))
    assert told["ftpweir_transfers_total", labels] == 3
    assert told["ftpweir_client_sessions_total", (("class", "a"), ("result", "quit"))] == 3
    assert told["ftpweir_upstream_login_seconds_bucket", (("le", "0.1"),)] == 3
    assert told["ftpweir_upstream_login_seconds_sum", ()] == 1.0


def test_what_there_is_now_comes_of_the_common_snapshot(told: Samples) -> None:
    assert told["ftpweir_client_sessions", (("class", "nightly"),)] == 4
    assert told["ftpweir_budget_slots", (("budget", "default"), ("state", "elsewhere"))] == 1
    up = [told["ftpweir_worker_up", (("worker", str(number)),)] for number in (1, 2, 3)]
    assert up == [1, 0, 1]


def test_sockets_are_each_ones_own_and_time_wait_is_the_machines(told: Samples) -> None:
    default = ("budget", "default")
    assert told["ftpweir_upstream_sockets", (default, ("state", "open"))] == 3
    assert told["ftpweir_upstream_sockets", (default, ("state", "time_wait"))] == 7


def test_one_refused_reload_is_a_refused_reload(told: Samples) -> None:
    assert told["ftpweir_config_last_reload_successful", ()] == 0


def test_processes_are_told_apart(told: Samples) -> None:
    assert told["process_open_fds", (("worker", "1"),)] == 10
    assert told["process_open_fds", (("worker", "3"),)] == 20
