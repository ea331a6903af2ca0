"""One of two servers dies while scripts work: the other serves them, and no script notices."""

from __future__ import annotations

import ftplib
import hashlib
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial

import pytest

from loadtest.lab.namespaces import Lab, lab
from tests.support.backend import Backend
from tests.support.namespaces import inside
from tests.support.proxy import Ftpweir
from tests.support.redis import RedisServer
from tests.support.servers import Vsftpd
from tests.support.users import ALICE
from tests.support.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(180)]

SCRIPTS = 8
MODIFIED = 1_700_000_000  # of every file on both servers: only the same file is gone on with
PORTS = (40_000, 40_499)  # of the first server's data connections
OTHERS = (40_500, 40_999)
SILENCE = """
table inet silence {{
  chain input {{
    type filter hook input priority -10
    tcp dport {{ {port}, {first}-{last} }} drop
  }}
  chain output {{
    type filter hook output priority -10
    tcp sport {{ {port}, {first}-{last} }} drop
  }}
}}
"""
SOON = 4.0  # seconds; 2 are promised, and this machine may be busy
AT_LENGTH = 12.0  # 6 expected: where one falls silent, who was in the middle of a file
ENOUGH = 10  # files of each script, before and after each change


def furnish(*servers: Backend) -> dict[str, str]:
    """Place the same files on all servers; return the SHA-256 of each."""
    chance, files = random.Random(9), {}
    for number, size in enumerate((1_000, 20_000, 100_000, 3_000_000)):
        content = chance.randbytes(size)
        files[f"file-{number}"] = hashlib.sha256(content).hexdigest()
        for server in servers:
            os.utime(server.place(f"file-{number}", content), (MODIFIED, MODIFIED))
    return files


@dataclass
class Work:
    """Scripts that fetch files without end, each in one session, and what became of it."""

    host: str
    port: int
    files: dict[str, str]
    # When each file was asked for and had come, by script.
    begun_and_done: list[list[tuple[float, float]]] = field(
        default_factory=lambda: [[] for _ in range(SCRIPTS)]
    )
    problems: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def script(self, number: int) -> None:
        """Go on until it is over; whatever goes wrong is a problem, and the end of this script."""
        try:
            with ftplib.FTP(timeout=30) as ftp:
                ftp.connect(self.host, self.port)
                ftp.login(ALICE.name, ALICE.password)
                ftp.voidcmd("TYPE I")
                for name, expected in self._names():
                    begun, digest = time.monotonic(), hashlib.sha256()
                    ftp.retrbinary(f"RETR {name}", digest.update)
                    if digest.hexdigest() != expected:
                        self.problems.append(f"{name} is wrong")
                    self.begun_and_done[number].append((begun, time.monotonic()))
        except (ftplib.Error, OSError, EOFError) as problem:
            self.problems.append(repr(problem))

    def wait_for_more(self) -> None:
        """Return once each script has as many files more as make the test worth while."""
        enough = [len(own) + ENOUGH for own in self.begun_and_done]

        def have_come() -> bool:
            return all(len(own) >= n for own, n in zip(self.begun_and_done, enough, strict=True))

        until(lambda: self.problems or have_come(), "files come", 60.0)
        assert self.problems == []

    def served_within(self, since: float) -> float:
        """Return the longest that any script waited for its first new file after a moment."""
        firsts = (next(one for one in own if one[0] > since) for own in self.begun_and_done)
        return max(done - begun for begun, done in firsts)

    def finished_within(self, since: float) -> float:
        """Return how long after a moment all files had come that were on their way then."""
        files = (one for own in self.begun_and_done for one in own)
        return max((done - since for begun, done in files if begun <= since < done), default=0.0)

    def tell_how_soon(self, what: str, since: float) -> None:
        """Print figures that depend on the machine: see them with `pytest -rP`."""
        served, finished = self.served_within(since), self.finished_within(since)
        sys.stdout.write(
            f"{what}: new files within {served:.2f} s, files under way within {finished:.2f} s\n"
        )

    def _names(self) -> Iterator[tuple[str, str]]:
        while not self.over.is_set():
            yield from self.files.items()


@contextmanager
def scripts_at_work(
    weir: Ftpweir, files: dict[str, str], netns: str | None = None
) -> Iterator[Work]:
    """Let the scripts work while the block lasts."""
    work = Work(weir.host, weir.port, files)
    scripts = [partial(work.script, number) for number in range(SCRIPTS)]
    if netns:
        scripts = [partial(inside, netns, script) for script in scripts]
    threads = [threading.Thread(target=script) for script in scripts]
    for thread in threads:
        thread.start()
    try:
        yield work
    finally:
        work.over.set()
        for thread in threads:
            thread.join()


def downloads(server: Backend) -> int:
    """How many files a server says it has sent."""
    return server.log_text().count("OK DOWNLOAD")


def see_it_back(weir: Ftpweir, first: Backend, work: Work) -> None:
    """Wait until the first server is used again, and see that it serves."""
    weir.wait_for_log("server up", within=60.0)
    before = downloads(first)
    work.wait_for_more()
    assert downloads(first) > before


def test_another_server_takes_over_and_gives_back_and_no_script_notices() -> None:
    with (
        Vsftpd() as first,
        Vsftpd() as second,
        Ftpweir(
            first,
            upstream={"standby": [second.address], "sessions": 4},
            timeouts={"failback": "1s"},
            budget={"connections": 1000, "time_wait": "1s"},
        ) as weir,
    ):
        files = furnish(first, second)
        with scripts_at_work(weir, files) as work:
            work.wait_for_more()
            assert downloads(second) == 0
            killed_at = time.monotonic()
            first.crash()
            work.wait_for_more()
            assert downloads(second) > 0
            first.restart()
            see_it_back(weir, first, work)
        assert work.problems == [], weir.log
    assert [event["server"] for event in weir.events("server down")] == [first.address]
    assert [event["server"] for event in weir.events("server up")] == [first.address]
    work.tell_how_soon("killed", killed_at)
    assert max(work.served_within(killed_at), work.finished_within(killed_at)) < SOON


def test_another_server_takes_over_in_every_worker() -> None:
    with (
        Vsftpd(max_per_ip=4) as first,
        Vsftpd(max_per_ip=4) as second,
        RedisServer() as redis,
        Ftpweir(
            first,
            workers=2,
            upstream={"standby": [second.address], "sessions": 4},
            budget={"connections": 1000, "time_wait": "1s"},
            store=redis.url,
            sharing={"lease": "3s", "recovery": "1s"},
        ) as weir,
    ):
        with scripts_at_work(weir, furnish(first, second)) as work:
            work.wait_for_more()
            killed_at = time.monotonic()
            first.crash()
            work.wait_for_more()
        assert work.problems == [], weir.log
        assert downloads(second) > 0
    work.tell_how_soon("killed, two workers", killed_at)
    assert max(work.served_within(killed_at), work.finished_within(killed_at)) < SOON


@contextmanager
def two_servers() -> Iterator[tuple[Lab, Vsftpd, Vsftpd]]:
    """Have them, in a lab, while the block lasts."""
    with (
        lab() as one,
        Vsftpd(host=one.server.address, netns=one.server.name, passive_ports=PORTS) as first,
        Vsftpd(host=one.server.address, netns=one.server.name, passive_ports=OTHERS) as second,
    ):
        yield one, first, second


def silence(one: Lab, first: Vsftpd) -> None:
    """Cut the first server's cable, so to speak: nothing of it is heard, not even a reset."""
    rule = SILENCE.format(port=first.port, first=PORTS[0], last=PORTS[1])
    one.server.run("nft", "-f", "-", text=rule)


def test_another_server_takes_over_when_one_falls_silent() -> None:
    with (
        two_servers() as (one, first, second),
        Ftpweir(
            first,
            netns=one.client.name,
            upstream={"standby": [second.address], "sessions": 4},
            timeouts={"failback": "1s"},
            budget={"connections": 1000, "time_wait": "1s"},
        ) as weir,
    ):
        files = furnish(first, second)
        with scripts_at_work(weir, files, one.client.name) as work:
            work.wait_for_more()
            assert downloads(second) == 0
            silence(one, first)
            silent_at = time.monotonic()  # what was asked for meanwhile is under way
            work.wait_for_more()
            assert downloads(second) > 0
            one.server.run("nft", "delete", "table", "inet", "silence")
            see_it_back(weir, first, work)
        assert work.problems == [], weir.log
    work.tell_how_soon("silent", silent_at)
    assert work.served_within(silent_at) < SOON
    assert work.finished_within(silent_at) < AT_LENGTH


def test_another_server_takes_over_from_one_that_hangs() -> None:
    """All its processes are stopped: the kernel goes on taking connections and commands."""
    with (
        Vsftpd() as first,
        Vsftpd() as second,
        Ftpweir(
            first,
            upstream={"standby": [second.address], "sessions": 4},
            timeouts={"hung": "2s", "failback": "1s"},
            budget={"connections": 1000, "time_wait": "1s"},
        ) as weir,
        scripts_at_work(weir, furnish(first, second)) as work,
    ):
        work.wait_for_more()
        stopped = first.processes()
        for process in stopped:
            os.kill(process, signal.SIGSTOP)
        hung_at = time.monotonic()
        work.wait_for_more()
        assert downloads(second) > 0
        work.tell_how_soon("hung", hung_at)
        for process in stopped & first.processes():
            os.kill(process, signal.SIGCONT)
        see_it_back(weir, first, work)
    assert work.problems == []


def test_neither_new_commands_nor_downloads_wait_for_a_server_that_has_vanished() -> None:
    """With every session in the middle of a file, no command is there to go unanswered."""
    with (
        two_servers() as (one, first, second),
        Ftpweir(
            first,
            netns=one.client.name,
            upstream={"standby": [second.address], "sessions": 2, "bandwidth": "8MiB/s"},
            timeouts={"connect": "3s", "stall": "8s"},  # the first for a silent server, too
        ) as weir,
    ):
        long = random.Random(9).randbytes(24 << 20)  # more than waits in buffers
        for server in (first, second):
            server.place("short.bin", b"short")
            os.utime(server.place("long.bin", long), (MODIFIED, MODIFIED))

        def one_short_beside_two_long_ones() -> None:
            pieces: list[bytes] = []
            with ExitStack() as undo:
                scripts = [undo.enter_context(closing(ftplib.FTP(timeout=60))) for _ in range(3)]
                for ftp in scripts:
                    ftp.connect(weir.host, weir.port)
                    ftp.login(ALICE.name, ALICE.password)
                    ftp.voidcmd("TYPE I")
                streams = []
                for ftp in scripts[1:]:
                    with ftp.transfercmd("RETR long.bin") as data:
                        streams.append(undo.enter_context(data.makefile("rb")))
                begun = [stream.read(1) for stream in streams]
                silence(one, first)
                with ThreadPoolExecutor() as readers:
                    # At the other server they may have their turn before the short one has its own.
                    rests = readers.map(lambda stream: stream.read(), streams)
                    scripts[0].retrbinary("RETR short.bin", pieces.append)
                    for ftp, rest, head in zip(scripts[1:], rests, begun, strict=True):
                        assert head + rest == long
                        assert ftp.voidresp().startswith("226")
            assert pieces == [b"short"]

        inside(one.client.name, one_short_beside_two_long_ones)
        assert [event["server"] for event in weir.events("server down")] == [first.address]
        until(lambda: len(weir.events("transfer ended")) == 3, "all are told of")
        long_ones = [one for one in weir.events("transfer ended") if one["path"] == "long.bin"]
    assert [bool(one["heals"]) for one in long_ones] == [True, True]
