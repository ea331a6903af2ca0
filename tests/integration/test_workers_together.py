"""Two workers behind one port and one Redis: one status address shows and commands both."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from loadtest.ports import free_port
from tests.support.batch import Batch
from tests.support.page import Page
from tests.support.proxy import Ftpweir
from tests.support.redis import RedisServer
from tests.support.servers import Vsftpd
from tests.support.users import ALICE
from tests.support.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(180)]

WORKERS, SCRIPTS, FILES, CLIENTS = 2, 16, 200, 20


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Ftpweir, Page]]:
    with workers() as found:
        yield found


@contextmanager
def workers() -> Iterator[tuple[Ftpweir, Page]]:
    place = f"127.0.0.1:{free_port('127.0.0.1')}"
    with ExitStack() as undo:
        server = undo.enter_context(Vsftpd())
        redis = undo.enter_context(RedisServer())
        weir = undo.enter_context(
            Ftpweir(
                server,
                workers=WORKERS,
                status=place,
                upstream={"sessions": 4},
                budget={"connections": 1000, "profile": "none"},
                store=redis.url,
                sharing={"lease": "3s", "recovery": "1s"},
            )
        )
        server.place("file.bin", b"together")
        yield weir, Page(place, weir.config_file)


def children(weir: Ftpweir) -> list[int]:
    """The processes that the parent has begun, in that order: the workers, then the desk."""
    told = Path(f"/proc/{weir.pid}/task/{weir.pid}/children").read_text().split()
    return [int(pid) for pid in told]


def kill_one(weir: Ftpweir) -> None:
    """Kill a worker and return when another has taken its place; it answers a moment later."""
    before = children(weir)
    os.kill(before[0], signal.SIGKILL)
    until(lambda: len(set(children(weir)) - set(before)) == 1, "another has taken its place")


def until_both_answer(page: Page) -> None:
    until(lambda: page.sum_of("ftpweir_worker_up") == WORKERS, "both answer", 30)


def fetch(weir: Ftpweir) -> Batch:
    return Batch(weir.host, weir.port, ALICE.name, ALICE.password, SCRIPTS, FILES).run()


def test_one_page_shows_what_both_do_and_goes_on_when_one_dies(both: tuple[Ftpweir, Page]) -> None:
    weir, page = both
    done = fetch(weir)
    assert done.errors == []
    sums = page.sum_of("ftpweir_transfers_total", kind="download", result="done")
    assert sums == FILES == page.told("status")["totals"]["transfers"]
    assert [one["answers"] for one in page.told("status")["workers"]] == [True, True]
    assert page.sum_of("process_open_fds", worker="1") > 0
    assert page.sum_of("process_open_fds", worker="2") > 0

    under_load = threading.Thread(target=fetch, args=(weir,))
    under_load.start()
    kill_one(weir)
    assert json.loads(page.text("/readyz"))["ready"]
    under_load.join()
    until_both_answer(page)
    assert fetch(weir).errors == []
    until(lambda: page.told("sessions")["total"] == 0, "all have said goodbye")


def test_sessions_of_both_are_on_one_list(both: tuple[Ftpweir, Page]) -> None:
    weir, page = both
    with ExitStack() as undo:
        for _ in range(CLIENTS):  # the kernel deals them out: hardly ever all to one
            client = undo.enter_context(socket.create_connection((weir.host, weir.port)))
            assert client.recv(100).startswith(b"220")
        until(lambda: page.told("sessions")["total"] == CLIENTS, "all are on the list")
        status = page.told("status")
        assert len({one["id"] for one in status["sessions"]}) == CLIENTS
        assert sum(one["sessions"] for one in status["workers"]) == CLIENTS
        assert min(one["sessions"] for one in status["workers"]) > 0
        assert "127.0.0.1" in page.command("show", "sessions").stdout
        assert f"{CLIENTS} clients" in page.command("top").stdout


def test_a_reload_and_a_drain_over_the_page_reach_all_of_them() -> None:
    with workers() as (weir, page):
        weir.write(queue={"max_wait": "20s"})
        assert "queue.max_wait" in page.command("reload").stdout
        waits = {one["key"]: one["value"] for one in page.told("config")["settings"]}
        assert waits["queue.max_wait"] == "20s"
        kill_one(weir)
        until_both_answer(page)
        waits = {one["key"]: one["value"] for one in page.told("config")["settings"]}
        assert waits["queue.max_wait"] == "20s", "the new one has the new file"
        weir.write(status="none")
        refused = page.command("reload", "--status", page.place)
        assert refused.returncode == 1
        assert refused.stderr.count("only a restart") == 1
        weir.write(status=page.place)
        assert weir.drain_and_restart(ask=lambda: page.command("drain")) == 0


def test_a_worker_that_hangs_is_noticed(both: tuple[Ftpweir, Page]) -> None:
    weir, page = both
    hanging = children(weir)[0]
    os.kill(hanging, signal.SIGSTOP)
    try:
        assert "no sign of life: worker" in page.command("healthcheck").stderr
        assert page.sum_of("ftpweir_worker_up") == 1
        assert json.loads(page.text("/readyz"))["ready"]
    finally:
        os.kill(hanging, signal.SIGCONT)
