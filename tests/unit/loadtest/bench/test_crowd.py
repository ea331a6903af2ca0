"""Where the scripts of a measurement stand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict

import pytest

from loadtest.bench.crowd import Wishes
from tests.support.programs import CHECKOUT


@pytest.mark.parametrize("together", [True, False])
def test_scripts_that_stay_together_have_one_processor(together: bool) -> None:
    wishes = Wishes("127.0.0.1", 0, [], "", together=together)
    with subprocess.Popen(
        [sys.executable, "-m", "loadtest.bench.crowd"],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as crowd:
        assert crowd.stdin is not None
        assert crowd.stdout is not None
        crowd.stdin.write(json.dumps(asdict(wishes)) + "\n")
        crowd.stdin.flush()
        assert crowd.stdout.readline() == "ready\n"
        found = os.sched_getaffinity(crowd.pid)
        crowd.communicate("[0, 0]\n")
    assert len(found) == (1 if together else len(os.sched_getaffinity(0)))
