"""Several processes behind one port: nobody notices, and the server's limit is still the limit."""

from __future__ import annotations

import ftplib
import hashlib
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from loadtest.ports import free_port
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
def workers(**more: Any) -> Iterator[tuple[Vsftpd, Ftpweir]]:
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
            **more,
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


def test_when_the_parent_is_killed_they_end_their_transfers_and_then_themselves() -> None:
    slow = {"name": "slow", "bandwidth": "1MiB/s"}  # the transfer outlasts several signs of life
    content = CONTENT * 1300
    ended_by_itself = pytest.raises(RuntimeError, match="ended by itself")
    with ended_by_itself, workers(clients=[slow]) as (server, weir):
        server.place("big.bin", content)
        ftp = ftplib.FTP(timeout=60)
        ftp.connect(weir.host, weir.port)
        ftp.login(ALICE.name, ALICE.password)
        with ftp.transfercmd("RETR big.bin") as data, data.makefile("rb") as received:
            begin = received.read(1000)
            left = children(weir.pid)
            os.kill(weir.pid, signal.SIGKILL)
            assert begin + received.read() == content
        assert ftp.voidresp().startswith("226")
        with pytest.raises(ftplib.error_temp, match="421 Proxy is shutting down"):
            ftp.voidresp()
        ftp.close()
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left), "all have ended")


def test_a_reload_reaches_all_of_them_whichever_process_is_told() -> None:
    with workers() as (_, weir):
        weir.reload(queue={"max_wait": "20s"})
        until(lambda: len(weir.events("reloaded")) == WORKERS, "all have read it anew")
        os.kill(min(children(weir.pid)), signal.SIGHUP)
        until(lambda: len(weir.events("reloaded")) == 2 * WORKERS, "all have read it again")


def test_a_reload_that_one_refuses_changes_nobody() -> None:
    with workers() as (server, weir):
        in_the_way = weir.config_file.with_name("ftpweir.state.worker2.other")
        in_the_way.mkdir()
        another_port = free_port(weir.host)
        other = {"host": server.host, "port": server.port}
        weir.reload(
            listen=[weir.address, f"{weir.host}:{another_port}"],
            servers=[{"name": "other", "match": {"user": "other-*"}, "upstream": other}],
        )
        until(lambda: len(weir.events("reload refused")) == WORKERS, "all have given it up")
        for event in weir.events("reload refused"):
            (problem,) = event["problems"]
            assert problem.startswith("worker 2: ")
            assert str(in_the_way.name) in problem
        assert weir.events("reloaded") == []
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((weir.host, another_port))
        in_the_way.rmdir()
        weir.signal(signal.SIGHUP)
        until(lambda: len(weir.events("reloaded")) == WORKERS, "all go on by it")
        socket.create_connection((weir.host, another_port)).close()
        assert fetch(weir, 10).errors == []


def test_all_outlive_a_log_whose_reader_has_gone() -> None:
    reader, writer = os.pipe()
    with workers(stderr=writer) as (_, weir):
        os.close(writer)
        os.close(reader)
        before = children(weir.pid)
        os.kill(min(before), signal.SIGKILL)  # their parent says so, to nobody
        until(lambda: len(children(weir.pid) - before) == 1, "another one takes its place")
        assert fetch(weir, 10).errors == []
        weir.stop()
        assert weir.returncode == 0
