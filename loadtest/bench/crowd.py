"""All scripts of one measurement, each a process of its own, so that none waits for another.

    python -m loadtest.bench.crowd

A line of JSON on standard input says what to do. Prints `ready` once everybody has logged in; a
second line of input, two moments of the monotonic clock, is the window in which everything counts;
then it prints what was seen, as JSON, and keeps all processes until its input ends: their processor
time can still be read. The work begins when the window is known, before it opens: nothing that is
only done once is measured.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cache, partial
from typing import TypeAlias

from .script import BLOCK, Cut, Failed, Script, patiently
from .tls_script import TlsScript

BULK = "bulk.bin"
SMALL = "small.bin"
UPLOADS = "up"
SMALL_SIZE = 1024
BULK_BLOCKS = 256
APART = 0.005  # seconds between two who begin: vsftpd's line of newcomers holds 32
PAUSE = 0.002  # seconds between two questions of the one who asks


class Deed(StrEnum):
    """What a script does all the time."""

    FETCH = "fetch"
    STORE = "store"
    FETCH_BULK = "fetch bulk"
    STORE_BULK = "store bulk"
    ASK = "ask"
    LOG_IN = "log in"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the crowd shall do."""

    host: str
    port: int
    deeds: list[Deed]  # of each script
    source: str  # the folder with the same files as the server's
    files: int = 0  # of each script, after which it stops; 0: it stops when the window closes
    ca: str = ""  # in TLS, trusting whom this file tells; empty: in clear
    together: bool = False  # all on one processor


@dataclass(slots=True)
class Seen:
    """What one script has seen in the window."""

    files: int = 0  # or logins
    moved: int = 0  # bytes
    pause: float = 0.0  # the longest time without a byte or a file, in seconds
    stored: int = 0  # files in all that are said to be stored, in the window or not
    moments: list[float] = field(default_factory=list)  # of each file or answer
    answers: list[float] = field(default_factory=list)  # seconds for each
    failure: str = ""


Window: TypeAlias = tuple[float, float]


@cache
def block() -> bytes:
    """Return the block of which bulk files are made; no part of it repeats another."""
    return b"".join(b"%015x\n" % number for number in range(BLOCK // 16))


class Worker:
    """One script at work."""

    def __init__(
        self, number: int, deed: Deed, connect: Callable[[], Script], wishes: Wishes
    ) -> None:
        self._number = number
        self._deed = deed
        self._connect = connect
        self._script = patiently(connect)
        self._wishes = wishes
        self._block = block()
        self._last = 0.0
        self._begin, self._end = 0.0, 0.0
        self.seen = Seen()

    def work(self, window: Window) -> None:
        """Do the deed again and again until the window closes; never raise."""
        self._begin, self._end = window
        self._last = self._begin
        deed = self._deeds()[self._deed]
        done = 0
        time.sleep(self._number * APART)  # behind a proxy that pools, logins come only now
        try:
            while time.monotonic() < self._end:
                deed(done)
                done += 1
                if done == self._wishes.files:
                    break
        except Cut:
            pass
        except (Failed, OSError) as problem:
            self.seen.failure = f"script {self._number}: {problem}"

    def _deeds(self) -> dict[Deed, Callable[[int], None]]:
        return {
            Deed.FETCH: self._fetch,
            Deed.STORE: self._store,
            Deed.FETCH_BULK: self._fetch_bulk,
            Deed.STORE_BULK: self._store_bulk,
            Deed.ASK: self._ask,
            Deed.LOG_IN: self._log_in,
        }

    def _fetch(self, done: int) -> None:
        self._script.fetch(SMALL, self._block[:SMALL_SIZE])
        self._moved(SMALL_SIZE, files=1)

    def _store(self, done: int) -> None:
        self._script.store(f"{UPLOADS}/{self._number}-{done}", self._block[:SMALL_SIZE])
        self.seen.stored += 1
        self._moved(SMALL_SIZE, files=1)

    def _fetch_bulk(self, done: int) -> None:
        self._script.fetch_blocks(BULK, self._block, self._moved_or_cut)

    def _store_bulk(self, done: int) -> None:
        source = os.open(f"{self._wishes.source}/{BULK}", os.O_RDONLY)
        try:
            size = BULK_BLOCKS * BLOCK
            path = f"{UPLOADS}/{self._number}-0"
            self._script.store_blocks(path, source, size, self._moved_or_cut)
        finally:
            os.close(source)

    def _ask(self, done: int) -> None:
        started = time.monotonic()
        self._script.ping()
        if self._begin <= started < self._end:
            self.seen.answers.append(time.monotonic() - started)
        time.sleep(PAUSE)

    def _log_in(self, done: int) -> None:
        self._connect().leave()
        self._moved(0, files=1)

    def _moved_or_cut(self, count: int) -> None:
        self._moved(count)
        if self._last >= self._end:
            raise Cut

    def _moved(self, count: int, files: int = 0) -> None:
        now = time.monotonic()
        if self._begin <= now < self._end:
            self.seen.moved += count
            self.seen.pause = max(self.seen.pause, now - self._last)
            if files:
                self.seen.files += files
                self.seen.moments.append(now)
        self._last = max(now, self._begin)


@dataclass(frozen=True, slots=True)
class Member:
    """One process of the crowd, seen from its parent."""

    pid: int
    told: int  # descriptor: a byte when it has logged in, then what it has seen
    orders: int  # descriptor: the window; closed, it leaves


def main() -> None:
    """Be the crowd."""
    told = json.loads(sys.stdin.readline())
    told["deeds"] = [Deed(deed) for deed in told["deeds"]]
    wishes = Wishes(**told)
    if wishes.together:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    block()  # made once, for all who are born now
    members: list[Member] = []
    for number, deed in enumerate(wishes.deeds):
        members.append(_fork(number, deed, wishes))
        time.sleep(APART)
    for member in members:
        os.read(member.told, 1)
    _say("ready")
    window = sys.stdin.readline()
    for member in members:
        os.write(member.orders, window.encode())
    _say(json.dumps([json.loads(_read_line(member.told)) for member in members]))
    sys.stdin.read()
    for member in members:
        os.close(member.orders)
    for member in members:
        os.waitpid(member.pid, 0)


def _fork(number: int, deed: Deed, wishes: Wishes) -> Member:
    told, telling = os.pipe()
    ordered, orders = os.pipe()
    pid = os.fork()
    if pid:
        os.close(telling)
        os.close(ordered)
        return Member(pid, told, orders)
    try:
        os.close(told)
        os.close(orders)
        _be_member(number, deed, wishes, ordered, telling)
    finally:
        os._exit(0)


def _be_member(number: int, deed: Deed, wishes: Wishes, ordered: int, telling: int) -> None:
    try:
        kind = partial(TlsScript, ca=wishes.ca) if wishes.ca else Script
        worker = Worker(number, deed, partial(kind, (wishes.host, wishes.port)), wishes)
    except Failed as problem:
        os.write(telling, b"!" + json.dumps(asdict(Seen(failure=str(problem)))).encode() + b"\n")
        _read_line(ordered)
    else:
        os.write(telling, b".")
        begin, end = json.loads(_read_line(ordered))
        worker.work((begin, end))
        os.write(telling, json.dumps(asdict(worker.seen)).encode() + b"\n")
    os.read(ordered, 1)


def _read_line(descriptor: int) -> str:
    with os.fdopen(descriptor, closefd=False) as lines:
        return lines.readline()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
