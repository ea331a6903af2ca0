"""Several processes behind one port: nobody notices, and the server's limit is still the limit."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.batch import Batch
from tests.support.proxy import Ftpweir
from tests.support.redis import RedisServer
from tests.support.servers import Vsftpd
from tests.support.users import ALICE
from tests.support.waiting import until
from tests.support.watching import Sampler

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(180)]

WORKERS = 3
CONTENT = b"worked " * 500


@contextmanager
def workers() -> Iterator[tuple[Vsftpd, Ftpweir]]:
    with (
        Vsftpd(max_per_ip=2) as server,
        RedisServer() as redis,
        Ftpweir(
            server,
            workers=WORKERS,
            upstream={"sessions": 2},
            budget={"connections": 1000, "profile": "none"},
            store=redis.url,
            sharing={"lease": "3s", "recovery": "1s"},
        ) as weir,
    ):
        server.place("file.bin", CONTENT)
        yield server, weir


def children(pid: int) -> set[int]:
    """Return the processes that this one has begun."""
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def fetch(weir: Ftpweir, scripts: int) -> Batch:
    return Batch(weir.host, weir.port, ALICE.name, ALICE.password, scripts, 2 * scripts).run()


def test_thirty_scripts_share_two_sessions_through_three_processes() -> None:
    with workers() as (server, weir), Sampler(server.sessions) as sessions:
        done = fetch(weir, 30)
    assert done.errors == []
    assert done.digests == [hashlib.sha256(CONTENT).hexdigest()]
    assert sessions.most <= 2
    assert weir.returncode == 0


def test_a_worker_that_was_killed_is_replaced() -> None:
    with workers() as (_, weir):
        before = children(weir.pid)
        assert len(before) == WORKERS
        os.kill(min(before), signal.SIGKILL)
        until(lambda: len(children(weir.pid) - before) == 1, "another has taken its place")
        done = fetch(weir, 10)
        assert weir.log_contains(r"worker \d ended with -9")
    assert done.errors == []


def test_a_reload_reaches_all_of_them() -> None:
    with workers() as (_, weir):
        weir.reload(queue={"max_wait": "20s"})
        until(lambda: weir.log.count('"event": "reloaded"') == WORKERS, "all have read it anew")
