"""Too many, too slow, too loud: they are refused or bounded, and a client beside them works on.

Latencies are compared with those of the same client before the horde came.
"""

from __future__ import annotations

import ftplib
import os
import statistics
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from loadtest.ports import free_port
from tests.support.horde import Horde
from tests.support.proxy import Ftpweir
from tests.support.servers import PyFtpd
from tests.support.users import ALICE
from tests.support.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

# The median of the honest client's round trips may be so many times what it is in quiet. With two
# cores for the horde, the proxy and the client it is 40 to 60 times where 20 clients of one source
# send 50 commands each: one turn of all of them. Who drowns waits for all that they may send ahead.
FACTOR = 150
KEPT = 600  # descriptors: a listener for each of 500 passive ports, and some pipes
MOST_GROWTH = 64 << 20  # bytes of memory
LARGE = 50_000_000


ERRORS: tuple[type[Exception], ...] = (*ftplib.all_errors, AttributeError)


class Probe:
    """An honest client that asks again and again, and somebody who looks at the health check."""

    def __init__(self, weir: Ftpweir, status: int) -> None:
        self._weir, self._status = weir, status
        self._over = threading.Event()
        self.trips: list[float] = []
        self.errors: list[str] = []

    @contextmanager
    def working(self) -> Iterator[None]:
        """Work while the block lasts."""
        self._over.clear()
        thread = threading.Thread(target=self._work)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def quiet(self, seconds: float = 1.5) -> float:
        """Return the median of its round trips while nobody else is there."""
        with self.working():
            time.sleep(seconds)
        return self.median()

    def median(self) -> float:
        """Return the median since the last question."""
        trips, self.trips = self.trips, []
        return statistics.median(trips)

    def _work(self) -> None:
        try:
            with ftplib.FTP(timeout=30) as ftp:
                ftp.connect(self._weir.host, self._weir.port, source_address=("127.0.0.2", 0))
                ftp.login(ALICE.name, ALICE.password)
                while not self._over.is_set():
                    began = time.monotonic()
                    ftp.voidcmd("NOOP")
                    ftp.sendcmd("MDTM small")
                    self.trips.append(time.monotonic() - began)
                    ftp.retrbinary("RETR small", lambda _: None)
                    with urllib.request.urlopen(
                        f"http://127.0.0.1:{self._status}/healthz", timeout=30
                    ) as answer:
                        answer.read()
                    time.sleep(0.02)
        except ERRORS as error:
            self.errors.append(repr(error))


class FewDescriptors(Ftpweir):
    """A proxy that may open few files."""

    def command(self) -> list[str]:
        """Lower the limit on the way."""
        return ["prlimit", "--nofile=400:400", *super().command()]


def memory(weir: Ftpweir) -> int:
    """Its resident bytes."""
    pages = Path(f"/proc/{weir.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def descriptors(weir: Ftpweir) -> int:
    """How many it has open."""
    return len(os.listdir(f"/proc/{weir.pid}/fd"))


@contextmanager
def besieged(kind: type[Ftpweir] = Ftpweir, **sections: Any) -> Iterator[tuple[Ftpweir, Probe]]:
    """A proxy and an honest client; at the end all that a horde has left must be gone."""
    status = free_port()
    with (
        PyFtpd() as server,
        kind(
            server,
            upstream={"sessions": 6},
            budget={"enforce": "off"},
            status=f"127.0.0.1:{status}",
            refusals={"delay": "500ms"},
            **sections,
        ) as weir,
    ):
        server.place("small", bytes(1000))
        server.place("large", bytes(LARGE))
        probe = Probe(weir, status)
        probe.quiet(0.5)  # the first session with the server is opened, the first pages are used
        quiet, before, used = probe.quiet(), memory(weir), descriptors(weir)
        with probe.working():
            yield weir, probe
        assert probe.errors == []
        loud = probe.median()
        assert loud < FACTOR * max(quiet, 0.001), f"{loud:.4f} s instead of {quiet:.4f} s"
        until(lambda: weir.sessions() == 0, "everybody is gone", 20)
        until(lambda: descriptors(weir) < used + KEPT, "descriptors are given back", 20)
        assert memory(weir) < before + MOST_GROWTH
        assert weir.events("fault") == []


def horde(weir: Ftpweir, kind: str, count: int, seconds: float) -> Horde:
    """Make one that comes to this proxy."""
    return Horde(kind, weir.host, weir.port, count, seconds)


def test_5000_who_connect_at_once_are_let_in_or_told_why_not() -> None:
    with besieged() as (weir, _), horde(weir, "storms", 5000, 15) as storm:
        pass
    assert storm.heard["220"] == 50, storm.heard  # as many as one source may have
    assert storm.heard["421"] > 4900, storm.heard


def test_who_never_ends_his_line_is_told_goodbye() -> None:
    with (
        besieged(timeouts={"idle": "2s"}) as (weir, _),
        horde(weir, "takes_his_time", 40, 8) as loris,
    ):
        pass
    assert loris.heard == {"421": 40}


def test_one_source_that_floods_does_not_drown_the_others() -> None:
    with besieged() as (weir, _), horde(weir, "floods", 20, 6) as flood:
        pass
    assert flood.heard == {"200": 20}


def test_who_does_not_read_his_replies_costs_no_memory() -> None:
    with besieged(timeouts={"idle": "4s"}) as (weir, _), horde(weir, "does_not_listen", 20, 8):
        time.sleep(6)


def test_slow_uploads_of_one_source_leave_room_for_others() -> None:
    class_ = {"name": "everyone", "sessions": 50, "transfers": 3}
    with besieged(clients=[class_]) as (weir, _), horde(weir, "trickles", 20, 8) as slow:
        pass
    assert slow.heard["150"] >= 3


def test_who_reads_nothing_of_his_file_is_cut_off() -> None:
    class_ = {"name": "everyone", "sessions": 50, "transfers": 3}
    with (
        besieged(clients=[class_], timeouts={"stall": "2s"}) as (weir, _),
        horde(weir, "dozes", 3, 8) as dozers,
    ):
        pass
    assert dozers.heard == {"426": 3}


def test_when_descriptors_run_out_it_is_said_and_everything_else_goes_on() -> None:
    clients = [{"name": "everyone", "sessions": 10_000}]
    with (
        besieged(FewDescriptors, clients=clients) as (weir, _),
        horde(weir, "storms", 1000, 8) as storm,
    ):
        pass
    assert storm.heard["421"] > 500
    assert storm.heard.get("nothing", 0) < 50
    assert weir.events("refused")[0]["reason"] == "descriptors"


def test_who_is_let_in_is_served_though_all_at_once_need_more_descriptors_than_there_are() -> None:
    scripts, content = 85, os.urandom(2 << 20)
    all_in = threading.Barrier(scripts)
    clients = [{"name": "everyone", "sessions": scripts}]

    def fetch(weir: Ftpweir) -> bytes:
        got = bytearray()
        with ftplib.FTP() as ftp:
            ftp.connect(weir.host, weir.port, timeout=60)
            ftp.login(ALICE.name, ALICE.password)
            all_in.wait(60)
            ftp.retrbinary("RETR file", got.extend)
        return bytes(got)

    with (
        PyFtpd() as server,
        FewDescriptors(
            server, upstream={"sessions": scripts}, budget={"enforce": "off"}, clients=clients
        ) as weir,
        ThreadPoolExecutor(scripts) as threads,
    ):
        server.place("file", content)
        assert set(threads.map(fetch, [weir] * scripts)) == {content}
