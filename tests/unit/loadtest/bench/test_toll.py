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


def test_nobody_costs_nothing() -> None:
    assert tolls([2**22 + 1]) == [0.0]
    assert tolls([os.getpid()])[0] > 0


def _alone(pid: int) -> float:
    with open(f"/proc/{pid}/schedstat") as lines:
        return int(lines.read().split()[0]) / 1e9
