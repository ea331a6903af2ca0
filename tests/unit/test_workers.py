"""The parent of several processes, with real ones; what they do is a few lines of the test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.programs import CHECKOUT
from tests.support.waiting import until

# Each worker leaves a file with its process id, says that it serves, and waits for a signal.
PARENT = """
import os, signal, sys, time
from pathlib import Path
from proxy import workers
from proxy.workers import Workers

workers.SOON = 0.01
folder, fails = Path(sys.argv[1]), sys.argv[2]

def work(number, serves):
    if fails == "at once":
        return 2
    (folder / f"{number}.{os.getpid()}").touch()
    heard = {signal.SIGTERM, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, heard)
    serves()
    while (told := signal.sigwait(heard)) != signal.SIGTERM:
        (folder / f"told.{number}").touch()
    return 0

parent = Workers(2, work, lambda line: print(line, flush=True))
ready = lambda: (folder / "ready").touch()
ending = lambda: (folder / "ending").touch()
sys.exit(parent.run(ready, ending))
"""


class Parent:
    """The running parent and what its workers have left in the folder."""

    def __init__(self, folder: Path, fails: str = "never") -> None:
        self.folder = folder
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "NOTIFY_SOCKET": "@nobody"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", PARENT, str(folder), fails],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )

    def has(self, *names: str) -> bool:
        return all((self.folder / name).exists() for name in names)

    def pids(self, number: int) -> set[int]:
        return {int(path.suffix[1:]) for path in self.folder.glob(f"{number}.*")}

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=20)
        return self.process.returncode


def test_all_serve_are_told_and_end(tmp_path: Path) -> None:
    parent = Parent(tmp_path)
    until(lambda: parent.has("ready"), "both serve")
    parent.process.send_signal(signal.SIGHUP)
    until(lambda: parent.has("told.0", "told.1"), "both are told to reload")
    assert not parent.has("ending")
    assert parent.end() == 0
    assert parent.has("ending")


def test_one_that_dies_is_started_again(tmp_path: Path) -> None:
    parent = Parent(tmp_path)
    until(lambda: parent.has("ready"), "both serve")
    (dead,) = parent.pids(1)
    os.kill(dead, signal.SIGKILL)
    until(lambda: len(parent.pids(1)) == 2, "another has taken its place")
    assert len(parent.pids(0)) == 1
    parent.process.send_signal(signal.SIGTERM)
    told, _ = parent.process.communicate(timeout=20)
    assert "worker 2 ended with -9" in told
    assert parent.process.returncode == 0


def test_what_cannot_begin_is_not_tried_again(tmp_path: Path) -> None:
    parent = Parent(tmp_path, "at once")
    parent.process.communicate(timeout=20)
    assert parent.process.returncode == 2
    assert not parent.has("ready")


def test_workers_do_not_outlive_a_parent_that_was_killed(tmp_path: Path) -> None:
    parent = Parent(tmp_path)
    until(lambda: parent.has("ready"), "both serve")
    parent.process.kill()
    parent.process.communicate(timeout=20)
    workers = parent.pids(0) | parent.pids(1)
    until(lambda: not any(is_running(pid) for pid in workers), "both have ended")


def is_running(pid: int) -> bool:
    """Tell whether it is there and not merely unburied."""
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
