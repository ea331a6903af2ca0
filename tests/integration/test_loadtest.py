"""The load test itself is tested: it must find what is wrong, and name the spot."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from loadtest.report import as_json
from loadtest.report.findings import Report
from tests.support.programs import CHECKOUT
from tests.support.proxy import Ftpweir
from tests.support.servers import PyFtpd
from tests.support.users import ALICE
from tests.support.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


def start(folder: Path, scenario: str, *options: str) -> subprocess.Popen[str]:
    """Start the load test with a scenario's text."""
    file = folder / "scenario.yaml"
    file.write_text(f"name: it\nproves: what the test says\n{scenario}")
    command = [sys.executable, "-m", "loadtest", "run", str(file)]
    return subprocess.Popen(
        [*command, "--json", str(folder / "report.json"), *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder: Path, scenario: str, *options: str) -> tuple[int, Report]:
    """Run a scenario to its end; return the exit code and the report."""
    process = start(folder, scenario, *options)
    printed, complaints = process.communicate(timeout=100)
    report = folder / "report.json"
    assert report.is_file(), printed + complaints
    return process.returncode, as_json.read(report)


def test_scripts_that_are_refused_directly_succeed_through_ftpweir(tmp_path: Path) -> None:
    code, report = run(
        tmp_path,
        "server: {sessions_per_address: 2}\n"
        "firewall: {connections: 40, time_wait: 1s}\n"
        "scripts: [{name: s, count: 10, files: 10, size: 256B}]\n"
        "fail_if: success<100%\n",
    )
    direct, proxied = report.findings
    assert code == 0, report.failures
    assert direct.budget is not None
    assert direct.budget.refused_sessions == 8
    assert direct.served.reasons == {"421 Too many connections from the same IP address.": 8}
    assert proxied.served.done == 100
    assert proxied.budget is not None
    assert proxied.budget.sessions_most <= 2
    assert proxied.budget.most <= 40
    assert proxied.correctness.client_bytes == proxied.correctness.server_bytes


@pytest.mark.parametrize("target", ["direct", "ftpweir"])
def test_one_truncated_file_in_a_thousand_is_found_and_named(tmp_path: Path, target: str) -> None:
    code, report = run(
        tmp_path,
        f"targets: {target}\n"
        "server: {faults: {truncate_one_in: 1000}}\n"
        "scripts: [{name: s, count: 10, files: 101, size: 64B}]\n",
    )
    assert code == 1
    [spot] = report.findings[0].correctness.corrupt
    assert re.search(
        r"s-\d{4}: RETR f\d{5}\.bin /s-\d{4}/f\d{5}\.bin: \d+ of \d+ bytes, yet 226", spot
    )
    assert any(spot in failure for failure in report.failures)


@pytest.mark.parametrize("target", ["direct", "ftpweir"])
def test_two_replies_swapped_once_are_found_and_named(tmp_path: Path, target: str) -> None:
    code, report = run(
        tmp_path,
        f"targets: {target}\n"
        "server: {faults: {swap_once_after: 30}}\n"
        "scripts: [{name: s, count: 5, files: 20, size: 64B}]\n",
    )
    assert code == 1
    strangers = report.findings[0].correctness.strangers
    assert len(strangers) == 2
    asked, heard = zip(
        *(re.findall(r"RETR \S+ (/\S+) was answered 226 .*\[(/\S+)\]", it)[0] for it in strangers),
        strict=True,
    )
    assert set(asked) == set(heard)


def test_one_connection_above_the_limit_is_found_and_named(tmp_path: Path) -> None:
    code, report = run(
        tmp_path,
        "targets: direct\n"
        "firewall: {connections: 20, time_wait: 1m}\n"
        "scripts: [{name: s, files: 20, size: 64B}]\n",
    )
    assert code == 1
    budget = report.findings[0].budget
    assert budget is not None
    assert (budget.most, budget.violations) == (21, 1)
    assert re.search(
        r"at \d+\.\d+ s a data connection made it 21, 20 are allowed", budget.first_violation
    )


def test_connections_up_to_the_limit_are_no_violation(tmp_path: Path) -> None:
    code, report = run(
        tmp_path,
        "targets: direct\n"
        "firewall: {connections: 21, time_wait: 1m}\n"
        "scripts: [{name: s, files: 20, size: 64B}]\n",
    )
    assert code == 0
    budget = report.findings[0].budget
    assert budget is not None
    assert (budget.most, budget.violations) == (21, 0)


def test_a_banned_address_gets_no_answer_at_all(tmp_path: Path) -> None:
    _, report = run(
        tmp_path,
        "targets: direct\n"
        "firewall: {connections: 10, time_wait: 1m, ban: 1h}\n"
        "scripts: [{name: s, files: 20, size: 64B, patience: 1s}]\n",
    )
    found = report.findings[0]
    assert found.budget is not None
    assert found.budget.banned
    assert found.served.outcomes["late"] == 1
    assert found.served.outcomes["left"] == 20 - found.served.done - 1


def test_uploads_are_compared_with_what_the_server_stored(tmp_path: Path) -> None:
    code, report = run(
        tmp_path, "scripts: [{name: s, count: 3, files: 5, size: 100KiB, do: upload}]\n"
    )
    assert code == 0
    assert [found.served.done for found in report.findings] == [15, 15]


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("reset: 50%", "refused"),
        ("stall: 50%", "late"),
        ("silent_150: 50%", "late"),
        ("half_reply: 50%", "lost"),
        ("refused_pasv: 50%", "refused"),
        ("goodbye_421: 20%", "refused"),
    ],
)
def test_a_fault_is_counted_and_never_taken_for_success(
    tmp_path: Path, fault: str, outcome: str
) -> None:
    code, report = run(
        tmp_path,
        f"targets: direct\nserver: {{faults: {{{fault}}}}}\n"
        "scripts: [{name: s, count: 4, files: 5, size: 4KiB, keep_going: on, patience: 500ms}]\n",
    )
    found = report.findings[0]
    assert code == 0, report.failures
    assert found.faults
    assert found.served.outcomes.get(outcome, 0) + found.served.outcomes.get("lost", 0) > 0
    assert found.served.done < found.served.planned


def test_late_final_replies_and_slow_greetings_only_take_time(tmp_path: Path) -> None:
    _, report = run(
        tmp_path,
        "targets: direct\n"
        "server: {login_delay: 200ms,"
        " faults: {late_final: 50%, late_by: 200ms, slow_accept: 200ms}}\n"
        "scripts: [{name: s, count: 2, files: 6, size: 4KiB}]\n",
    )
    found = report.findings[0]
    assert found.served.done == 12
    assert found.phases["final"].longest >= 0.2
    assert found.phases["connect"].p50 >= 0.2
    assert found.phases["login"].p50 >= 0.2


def test_an_interrupted_run_writes_its_partial_report(tmp_path: Path) -> None:
    process = start(
        tmp_path,
        "targets: direct\nscripts: [{name: s, files: 2000, size: 64B, think: 100ms}]\n",
    )
    until(lambda: _has_begun(tmp_path, process), "the run has begun", within=60)
    process.send_signal(signal.SIGINT)
    printed, complaints = process.communicate(timeout=50)
    assert process.returncode == 130, printed + complaints
    [found] = as_json.read(tmp_path / "report.json").findings
    assert found.is_partial
    assert found.served.planned == 2000
    assert 0 < found.served.outcomes["done"] < 2000
    assert found.served.outcomes["cut"] == 2000 - found.served.outcomes["done"]


def test_a_bad_scenario_gets_line_column_and_reason(tmp_path: Path) -> None:
    process = start(tmp_path, "scripts:\n  - {name: s, file: 3}\n")
    _, complaints = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "scenario.yaml:4:15: scripts.file: there is no such key (did you mean files?)" in (
        complaints
    )


def _has_begun(folder: Path, process: subprocess.Popen[str]) -> bool:
    """Look for the first rows of a worker of this very run."""
    assert process.poll() is None
    children = subprocess.run(
        ["pgrep", "-P", str(process.pid), "-f", "loadtest.scripts.worker"],
        capture_output=True,
        text=True,
    ).stdout.split()
    return any(_has_connections(pid) for pid in children)


def _has_connections(pid: str) -> bool:
    try:
        links = [str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()]
        sizes = [
            fd.stat().st_size
            for fd in Path(f"/proc/{pid}/fd").iterdir()
            if str(fd.readlink()).endswith(".rows")
        ]
    except OSError:
        return False
    return bool(links) and any(sizes)


def test_a_server_and_a_proxy_that_run_already_can_be_measured(tmp_path: Path) -> None:
    with PyFtpd() as server, Ftpweir(server, budget={"enforce": "off"}) as proxy:
        code, report = run(
            tmp_path,
            f"targets: [direct, {proxy.address}]\n"
            f"server: {{kind: {server.host}:{server.port}, user: {ALICE.name},"
            f" password: {ALICE.password}}}\n"
            "scripts: [{name: s, count: 3, files: 4, size: 4KiB}]\n"
            "fail_if: success<100%\n",
        )
    assert code == 0, report.failures
    assert report.judged == proxy.address
    assert [found.served.done for found in report.findings] == [12, 12]


@pytest.mark.root
@pytest.mark.parametrize("kind", ["vsftpd", "pure-ftpd", "proftpd"])
def test_a_real_server_can_stand_behind(tmp_path: Path, kind: str) -> None:
    code, report = run(
        tmp_path,
        f"server: {{kind: {kind}, sessions_per_address: 2}}\n"
        "scripts:\n"
        "  - {name: down, count: 3, files: 3, size: 4KiB, patience: 20s}\n"
        "  - {name: up, count: 3, files: 3, size: 4KiB, do: upload, patience: 20s}\n"
        "  - {name: list, count: 3, files: 3, size: 40B, do: list, patience: 20s}\n"
        "fail_if: success<100% or direct.success==100%\n",
    )
    assert code == 0, report.failures


@pytest.mark.root
def test_in_the_lab_the_kernel_counts_and_the_firewall_bans(tmp_path: Path) -> None:
    code, report = run(
        tmp_path,
        "firewall: {connections: 40, time_wait: 2s, ban: 1h, lab: on}\n"
        "scripts: [{name: s, count: 4, files: 25, size: 256B, patience: 8s}]\n"
        "fail_if: success<100%\n",
    )
    assert code == 0, report.failures
    direct, proxied = (found.budget for found in report.findings)
    assert direct is not None
    assert proxied is not None
    assert (direct.by, direct.banned) == ("the kernel's connection tracking", True)
    assert direct.most > 40  # a real ban comes a moment after its reason
    assert proxied.violations == 0
    assert 0 < proxied.most <= 40
