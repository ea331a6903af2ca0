"""Errands of many scripts, done in a process of their own: it can be started inside a namespace,
and its threads take no time from those of the test.

An errand is a dataclass: what the scripts shall do, and afterwards what happened. Its module, run
with `-m`, reads it as JSON and writes it back as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, TypeVar

from .programs import CHECKOUT

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

E = TypeVar("E", bound="DataclassInstance")


def done_apart(errand: E, prefix: Sequence[str], patience: float) -> E:
    """Have it done, `prefix` in front of the command; return it with what happened."""
    kind = type(errand)
    done = subprocess.run(
        [*prefix, sys.executable, "-m", kind.__module__],
        cwd=CHECKOUT,
        input=json.dumps(asdict(errand)),
        capture_output=True,
        text=True,
        timeout=patience,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{kind.__module__} failed: {done.stderr}")
    return kind(**json.loads(done.stdout))


def begun_apart(errand: DataclassInstance, prefix: Sequence[str]) -> subprocess.Popen[str]:
    """Have it begun, `prefix` in front of the command; what happened comes on standard output."""
    process = subprocess.Popen(
        [*prefix, sys.executable, "-m", type(errand).__module__],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    with process.stdin as wishes:
        json.dump(asdict(errand), wishes)
    return process


def take_orders(kind: type[E], do: Callable[[E], None]) -> None:
    """Do what standard input asks for, and tell standard output what happened."""
    errand = kind(**json.load(sys.stdin))
    do(errand)
    json.dump(asdict(errand), sys.stdout)


def in_threads(scripts: Iterable[Callable[[], object]]) -> None:
    """Run all at once, each in a thread, until the last has ended."""
    threads = [threading.Thread(target=script, daemon=True) for script in scripts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
