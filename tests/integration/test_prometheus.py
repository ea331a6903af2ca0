"""The real Prometheus: it takes the rules, scrapes a running proxy, and an alert fires."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from loadtest.ports import free_port
from proxy.ops.metrics.table import METRICS
from tests.support.client import Target
from tests.support.clients import Ftplib
from tests.support.programs import CHECKOUT, program
from tests.support.proxy import Ftpweir
from tests.support.servers import PyFtpd
from tests.support.users import ALICE
from tests.support.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

SHIPPED = CHECKOUT / "config" / "prometheus"
TOKEN = "a-token-of-some-length"
HURRY = "1s"  # between two scrapes


def promtool(*arguments: str | Path) -> str:
    done = subprocess.run(
        [program("promtool"), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_accepts_the_shipped_files() -> None:
    assert "SUCCESS" in promtool("check", "rules", SHIPPED / "rules.yaml")
    assert "is valid" in promtool("check", "config", SHIPPED / "scrape.yaml")


def test_each_kind_of_alert_fires_when_it_should_and_not_before() -> None:
    assert "SUCCESS" in promtool("test", "rules", SHIPPED / "tests.yaml")


class Prometheus:
    """A running one that scrapes one proxy, in a hurry."""

    def __init__(self, place: str) -> None:
        self._place = place

    def ask(self, path: str, **parameters: str) -> Any:
        """Return the data of an answer of its API."""
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"http://{self._place}/api/v1/{path}?{query}") as answer:
            return json.load(answer)["data"]

    def value(self, query: str) -> float | None:
        """Return the value of a query that has one."""
        result = self.ask("query", query=query)["result"]
        return float(result[0]["value"][1]) if result else None

    def is_up(self) -> bool:
        """Tell whether it answers."""
        with contextlib.suppress(OSError):
            self.ask("status/buildinfo")
            return True
        return False

    def firing(self) -> set[str]:
        """Return the names of the alerts that fire."""
        alerts = self.ask("alerts")["alerts"]
        return {one["labels"]["alertname"] for one in alerts if one["state"] == "firing"}


@contextlib.contextmanager
def prometheus(target: str, folder: Path) -> Iterator[Prometheus]:
    """Run it with the shipped files, but for the target, the token and the hurry."""
    config = yaml.safe_load((SHIPPED / "scrape.yaml").read_text())
    config["global"] |= {"scrape_interval": HURRY, "evaluation_interval": HURRY}
    (job,) = config["scrape_configs"]
    job["static_configs"] = [{"targets": [target]}]
    (folder / "token").write_text(TOKEN)
    job["authorization"] = {"credentials_file": str(folder / "token")}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    shutil.copy(SHIPPED / "rules.yaml", folder)
    place = f"127.0.0.1:{free_port()}"
    command = [
        program("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={place}",
        "--log.level=error",
    ]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
        running = Prometheus(place)
        try:
            until(running.is_up, "prometheus answers", 30)
            yield running
        finally:
            process.terminate()


def test_it_scrapes_a_running_proxy_and_an_alert_fires(tmp_path: Path) -> None:
    place = f"127.0.0.1:{free_port()}"
    status = {"address": place, "token": TOKEN}
    with PyFtpd() as server, Ftpweir(server, status=status) as proxy:
        (server.home(ALICE) / "file").write_bytes(b"content")
        with prometheus(place, tmp_path) as watching:
            until(lambda: watching.value("up") == 1, "the proxy is scraped", 30)
            Ftplib().get(Target(proxy.host, proxy.port), "file")
            done = 'ftpweir_transfers_total{kind="download",result="done"}'
            until(lambda: watching.value(done) == 1, "the transfer is counted", 30)
            names = set(watching.ask("label/__name__/values"))
            # Those that have labels appear with the first of their kind, these with store and TLS.
            names |= {f"ftpweir_store_{what}" for what in ("up", "degraded", "latency_seconds")}
            names.add("ftpweir_upstream_certificate_expiry_timestamp_seconds")
            assert {m.exposed for m in METRICS.values() if not m.labels} - names <= {
                m.exposed for m in METRICS.values() if m.bounds
            }
            assert watching.value("ftpweir_ledger_divergence") == 0
            assert watching.value("sum(ftpweir_budget_slots{state='cooling'})") == 1
            assert not watching.firing()
            proxy.config_file.write_text("upstream: {hots: typo}\n")
            proxy.signal(signal.SIGHUP)
            until(lambda: "FtpweirReloadFailed" in watching.firing(), "the alert fires", 30)
