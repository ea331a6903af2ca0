"""Processor time out of /proc."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from loadtest.bench.toll import tolls


def test_a_family_is_counted_with_its_children() -> None:
    burn = "import time\nwhile time.process_time() < 0.05: pass\n"
    shell = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn!r} + 'input()'])"
    with subprocess.Popen([sys.executable, "-c", shell], stdin=subprocess.PIPE) as process:
        try:
            deadline = time.monotonic() + 30
            while tolls([process.pid])[0] < 0.05 + _alone(process.pid):
                assert time.monotonic() < deadline
        finally:
            process.kill()


def test_what_the_dead_have_used_is_not_forgotten() -> None:
    burn = "import time\nwhile time.process_time() < 0.1: pass"
    shell = (
        f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn!r}])\n"
        "print(flush=True), input()"
    )
    command = [sys.executable, "-c", shell]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            assert tolls([process.pid])[0] >= 0.1 + _alone(process.pid) - 0.02
        finally:
            process.kill()


def test_nobody_costs_nothing() -> None:
    assert tolls([2**22 + 1]) == [0.0]
    assert tolls([os.getpid()])[0] > 0


def _alone(pid: int) -> float:
    with open(f"/proc/{pid}/schedstat") as lines:
        return int(lines.read().split()[0]) / 1e9
