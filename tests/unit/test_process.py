"""The process and its signals, in a real process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from proxy.store.journal import Journal
from tests.support.ports import give_back, lend
from tests.support.programs import CHECKOUT
from tests.support.waiting import until


class Child:
    """A proxy of its own, before a server that nobody asks."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "log"
        self.file = folder / "ftpweir.yaml"
        self._ports = lend()
        self.write(connections=400)
        command = [sys.executable, "-m", "proxy", "run", "-c", str(self.file)]
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(str(folder / "notify"))
        self.manager.settimeout(10)
        environment = {
            **os.environ,
            "PYTHONPATH": str(CHECKOUT),
            "PYTHONUNBUFFERED": "1",
            "NOTIFY_SOCKET": str(folder / "notify"),
        }
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=log, stderr=log
            )
        self.until_printed("ready: ")

    def write(self, **budget: object) -> None:
        config = {
            "listen": "127.0.0.1:0",
            "upstream": {"host": "127.0.0.1"},
            "budget": budget,
            "log": {"format": "json"},
        }
        self.file.write_text(yaml.safe_dump(config))

    def until_printed(self, words: str) -> str:
        """Return the line."""

        def lines() -> list[str]:
            return [line for line in self._log.read_text().splitlines() if words in line]

        until(lambda: lines() or self.process.poll() is not None, f"it prints {words!r}")
        return lines()[-1]

    def told(self, word: str) -> str:
        """Return the service manager's next message with this word."""
        while word not in (message := self.manager.recv(4096).decode()):
            pass
        return message

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.manager.close()
        give_back(self._ports)


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    child = Child(tmp_path)
    yield child
    child.end()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_ends_in_peace(child: Child, number: signal.Signals) -> None:
    child.process.send_signal(number)
    assert child.process.wait(10) == 0


def test_a_hangup_reads_the_file_anew(child: Child) -> None:
    child.write(connections=300)
    child.process.send_signal(signal.SIGHUP)
    assert '"budget.connections"' in child.until_printed('"reloaded"')
    assert child.process.poll() is None


def test_a_bad_file_is_refused_with_line_and_column_and_the_old_settings_stay(child: Child) -> None:
    child.write(connections=0)
    child.process.send_signal(signal.SIGHUP)
    assert "ftpweir.yaml:2:16: budget.connections: " in child.until_printed('"reload refused"')
    assert child.process.poll() is None


def test_told_to_quit_it_ends_at_once_with_the_ledger_saved(child: Child) -> None:
    child.process.send_signal(signal.SIGQUIT)
    assert child.process.wait(10) == 0
    remembered = Journal(child.file.with_name("ftpweir.state"), now=time.monotonic())
    assert remembered.remembered == []
    remembered.close()


def test_a_request_to_reopen_the_log_changes_nothing(child: Child) -> None:
    child.process.send_signal(signal.SIGUSR1)
    child.process.send_signal(signal.SIGUSR2)
    child.until_printed('"state"')
    assert child.process.poll() is None


def test_asked_for_its_state_it_tells_it_in_the_log(child: Child) -> None:
    child.process.send_signal(signal.SIGUSR2)
    told = json.loads(child.until_printed('"state"'))
    assert told["phase"] == "serving"
    assert any("_sweep at " in task for task in told["tasks"])


def test_the_beginning_and_the_end_of_a_drain_are_told(child: Child) -> None:
    child.process.send_signal(signal.SIGTERM)
    assert child.process.wait(10) == 0
    assert json.loads(child.until_printed('"drain began"'))["sessions"] == 0
    assert json.loads(child.until_printed('"drain ended"'))["thrown_out"] == 0


def test_its_starter_hears_of_start_reload_and_end(child: Child) -> None:
    child.told("READY=1")
    child.process.send_signal(signal.SIGHUP)
    assert "MONOTONIC_USEC=" in child.told("RELOADING=1")
    child.told("READY=1")
    child.process.send_signal(signal.SIGTERM)
    child.told("STOPPING=1")
    assert child.process.wait(10) == 0
