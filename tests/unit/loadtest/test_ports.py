"""Ports are handed out once: to one caller, in one of the processes that ask."""

from __future__ import annotations

import subprocess
import sys

from loadtest.ports import FIRST, LAST, claim, free_port
from tests.support.programs import CHECKOUT

ASK = "import sys; from loadtest.ports import claim; sys.exit(not claim(int(sys.argv[1])))"


def is_left_to_others(port: int) -> bool:
    return subprocess.run([sys.executable, "-c", ASK, str(port)], cwd=CHECKOUT).returncode == 0


def test_no_port_is_told_twice() -> None:
    told = [free_port() for _ in range(200)]
    assert len(set(told)) == 200
    assert all(FIRST <= port <= LAST for port in told)


def test_what_one_process_has_claimed_no_other_gets() -> None:
    port = free_port()
    assert not claim(port)
    assert not is_left_to_others(port)


def test_a_claim_ends_with_its_process() -> None:
    port = next(port for port in range(LAST + 1, LAST + 1000) if is_left_to_others(port))
    assert is_left_to_others(port)
