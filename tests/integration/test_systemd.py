"""The unit files as systemd itself judges them, and a socket that its own tool hands over."""

from __future__ import annotations

import ftplib
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from loadtest.ports import free_port
from proxy.config import examine
from tests.support.programs import CHECKOUT, program
from tests.support.waiting import until

UNITS = CHECKOUT / "config" / "systemd"

pytestmark = pytest.mark.integration


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The unit files, with a command that is there."""
    for unit in UNITS.iterdir():
        text = unit.read_text().replace("/opt/ftpweir/bin/ftpweir", sys.executable)
        (tmp_path / unit.name).write_text(text)
    return tmp_path


def analyze(*words: str, cwd: Path) -> str:
    done = subprocess.run(
        [program("systemd-analyze"), *words],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_systemd_finds_nothing_wrong_with_the_units(units: Path) -> None:
    assert analyze("verify", "./ftpweir.service", "./ftpweir.socket", cwd=units) == ""


def test_the_service_is_as_closed_in_as_a_network_service_can_be(units: Path) -> None:
    told = analyze("security", "--offline=yes", "./ftpweir.service", cwd=units)
    exposure = re.search(r"Overall exposure level for ftpweir.service: ([0-9.]+)", told)
    assert exposure is not None
    assert float(exposure[1]) <= 1.5


def test_the_socket_is_where_the_example_listens() -> None:
    streams = re.findall(r"^ListenStream=(.+)$", (UNITS / "ftpweir.socket").read_text(), re.M)
    text = (CHECKOUT / "config" / "minimal.yaml").read_text()
    config = examine(text, "minimal.yaml").config
    assert config is not None
    assert streams == [str(listen.address) for listen in config.listen]


@pytest.fixture
def activated(tmp_path: Path) -> Iterator[int]:
    """A proxy that starts when the first client knocks at a socket which is not its own."""
    port = free_port("127.0.0.1")
    config = {"listen": f"127.0.0.1:{port}", "upstream": {"host": "127.0.0.1"}}
    (tmp_path / "ftpweir.yaml").write_text(yaml.safe_dump(config))
    command = [program("systemd-socket-activate"), "-l", f"127.0.0.1:{port}"]
    command += ["-E", f"PYTHONPATH={CHECKOUT}", sys.executable, "-m", "proxy", "run"]
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "-c", "ftpweir.yaml"], cwd=tmp_path, stdout=output, stderr=output
        )
    try:
        until(lambda: "Listening on" in log.read_text(), "it listens in our place")
        yield port
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0, log.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_who_knocked_before_the_start_is_greeted_after_it(activated: int) -> None:
    with ftplib.FTP(timeout=20) as client:
        assert client.connect("127.0.0.1", activated).startswith("220 ")
        assert client.sendcmd("NOOP").startswith("200 ")
