"""The benchmark measures everybody and fails at a wrong byte. Its figures are not judged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from loadtest.bench import results
from loadtest.bench.peers import PEERS
from tests.support.programs import CHECKOUT, need_root

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(180)]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "loadtest", "bench", "--quick", *arguments],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
    )


def test_every_peer_is_measured_up_and_down(tmp_path: Path) -> None:
    need_root("a network namespace")
    works = ("small-8-down", "bulk-8-up")
    only = [word for work in works for word in ("--only", work)]
    done = bench(*only, "--json", str(tmp_path / "run.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    run = results.read(tmp_path / "run.json")
    assert {(it.work, it.peer) for it in run.samples} == {
        (work, peer.name) for work in works for peer in PEERS
    }
    for sample in run.samples:
        assert sample.figure > 0, sample
        assert (sample.toll.proxy > 0) == (sample.peer != "direct"), sample


def test_scripts_in_tls_are_measured_behind_those_who_speak_it(tmp_path: Path) -> None:
    need_root("a network namespace")
    done = bench("--only", "tls-scripts-bulk-1-up", "--json", str(tmp_path / "run.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    samples = results.read(tmp_path / "run.json").samples
    assert {it.peer for it in samples} == {"mod_proxy", "ftpweir"}
    assert all(it.figure > 0 for it in samples)


def test_logins_are_counted_behind_one_process_and_behind_two(tmp_path: Path) -> None:
    need_root("a network namespace")
    peers = ("ftpweir", "2 workers")
    only = [word for name in ("tls-scripts-logins", *peers) for word in ("--only", name)]
    done = bench(*only, "--json", str(tmp_path / "run.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    samples = results.read(tmp_path / "run.json").samples
    assert [it.peer for it in samples] == list(peers)
    assert all(it.figure > 0 and it.toll.proxy > 0 for it in samples)


def test_two_sessions_far_away_serve_eight_scripts(tmp_path: Path) -> None:
    need_root("a network namespace")
    done = bench("--only", "wan-down", "--only", "ftpweir", "--json", str(tmp_path / "run.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    (sample,) = results.read(tmp_path / "run.json").samples
    assert (sample.scripts, sample.files > 0) == (8, True)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    done = bench("--only", "bulky")
    assert done.returncode == 2
    assert "bulk-1-down" in done.stderr
