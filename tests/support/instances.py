"""Four instances before one server, with one budget and one Redis, in a lab whose firewall counts.

Run as `python -m tests.support.instances` it is the long run of docs/SCALE.md: the usual lease and
recovery, one mishap after the other, and a table of how fast it went and what was counted.
"""

from __future__ import annotations

import hashlib
import math
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Final

from .batch import Batch
from .namespaces import Lab
from .proxy import Ftpweir, exactly
from .redis import RedisServer
from .servers import Vsftpd
from .users import ALICE
from .waiting import until
from .watching import FlowWatch, Sampler

BUDGET: Final = 40
HOLD: Final = 3
GUARD: Final = 0.3
CYCLE: Final = HOLD + GUARD  # seconds after which a slot serves again
CYCLES: Final = 7  # of which a rate is measured, less those of the first burst
NUMBER: Final = 4  # of instances
SCRIPTS: Final = 8  # at each
CONTENT: Final = b"shared " * 300
DIGEST: Final = hashlib.sha256(CONTENT).hexdigest()
CUT: Final = """
table inet cut {{
  chain out {{
    type filter hook output priority 0
    {}
  }}
}}
"""


class Instances:
    """The proxies, what is around them, and the scripts that fetch files through them."""

    def __init__(self, undo: ExitStack, sessions: int, sharing: dict[str, object]) -> None:
        self._sessions = sessions
        self._sharing = sharing
        self._running: list[threading.Thread] = []
        self.done: list[Batch] = []
        self.lab = undo.enter_context(Lab(hold=HOLD))
        self.server = undo.enter_context(
            Vsftpd(host=self.lab.server.address, netns=self.lab.server.name)
        )
        self.server.place("file.bin", CONTENT)
        self.redis = undo.enter_context(RedisServer(self.lab.client.name))
        self.weirs = [undo.enter_context(self._instance(at)) for at in range(NUMBER)]
        self.firewall = undo.enter_context(
            FlowWatch(self.lab.server, source=self.lab.client.address)
        )

    def _instance(self, number: int) -> Ftpweir:
        return Ftpweir(
            self.server,
            netns=self.lab.client.name,
            upstream={"sessions": self._sessions},
            budget=exactly(BUDGET, hold=HOLD, guard=GUARD),
            # Each reaches the store by an address of its own, so that one can be cut off.
            store=self.redis.url_at(self.store_address(number)),
            sharing=self._sharing,
        )

    @staticmethod
    def store_address(number: int) -> str:
        """Where this instance finds the store."""
        return f"127.0.0.{number + 2}"

    def begin(self, files: int, *, last_start: float = math.inf) -> None:
        """Let eight scripts fetch so many files through each instance."""
        for weir in self.weirs:
            batch = Batch(
                weir.host,
                weir.port,
                ALICE.name,
                ALICE.password,
                SCRIPTS,
                files,
                last_start=last_start,
            )
            thread = threading.Thread(target=self._run, args=(batch,), daemon=True)
            thread.start()
            self._running.append(thread)

    def _run(self, batch: Batch) -> None:
        try:
            done = batch.run(self.lab.client.inside([]), patience=900.0)
        except (RuntimeError, subprocess.TimeoutExpired) as problem:
            done = replace(batch, errors=[str(problem)])
        self.done.append(done)

    def finish(self) -> None:
        """Wait for all scripts."""
        for thread in self._running:
            thread.join()
        self._running.clear()

    @property
    def errors(self) -> list[str]:
        """What scripts have met, in their words."""
        return [error for batch in self.done for error in batch.errors]

    def batch(self, files: int) -> None:
        """Run scripts to their end; they must succeed."""
        self.done.clear()
        self.begin(files)
        self._succeed()

    def rate(self) -> float:
        """Return the files per second while every script always wants another one.

        Over whole cycles, since what was begun in a burst comes free in one; the first burst, which
        finds an empty budget, does not count.
        """
        self.done.clear()
        until = time.time() + CYCLES * CYCLE
        self.begin(1_000_000, last_start=until)
        self._succeed()
        ends = sorted(end for batch in self.done for end in batch.finished)
        begun = ends[BUDGET]
        seconds = (until - begun) // CYCLE * CYCLE
        return sum(begun < end <= begun + seconds for end in ends) / seconds

    def _succeed(self) -> None:
        self.finish()
        assert self.errors == [], self.errors  # here pytest does not tell
        assert {digest for batch in self.done for digest in batch.digests} == {DIGEST}

    @property
    def possible(self) -> float:
        """Files per second that the budget allows, less what control connections take of it."""
        return (BUDGET - self._sessions) / CYCLE

    def until_used(self, slots: int) -> None:
        """Return when the firewall counts so many."""
        until(lambda: self.firewall.now >= slots, f"{slots} slots are in use", 60)

    @contextmanager
    def cut_off(self, number: int) -> Iterator[None]:
        """Let no packet pass between this instance and the store for the length of the block."""
        rule = f"ip daddr {self.store_address(number)} tcp dport {self.redis.port} drop"
        self.lab.client.run("nft", "-f", "-", text=CUT.format(rule))
        try:
            yield
        finally:
            self.lab.client.run("nft", "delete", "table", "inet", "cut")

    @contextmanager
    def frozen(self, number: int) -> Iterator[None]:
        """Stop this instance for the length of the block."""
        self.weirs[number].signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.weirs[number].signal(signal.SIGCONT)


@contextmanager
def instances(sessions: int = NUMBER, **sharing: object) -> Iterator[Instances]:
    """Have them while the block lasts."""
    with ExitStack() as undo:
        yield Instances(undo, sessions, sharing)


# The long run.

LENGTH: Final = 450.0  # more than everything takes together: no script ends before


class Phases:
    """What the long run is made of: which part lasted from when to when."""

    def __init__(self, one: Instances) -> None:
        self._one = one
        self._all: list[tuple[str, float, float]] = []

    def play(self) -> None:
        """Let one mishap come after the other."""
        one = self._one
        self._phase("nothing happens", 30)
        with one.frozen(0):
            self._phase("one is stopped (SIGSTOP)", 30)
        self._phase("the 30 s after", 30)
        one.redis.kill()
        self._phase("Redis is killed", 10)
        one.redis.start()
        self._phase("it recovers", 35)
        self._phase("the 25 s after", 25)
        one.redis.ask("FLUSHALL")
        self._phase("FLUSHALL and recovery", 35)
        self._phase("the 25 s after", 25)
        with one.cut_off(0):
            self._phase("the network to the store is cut for one", 30)
        self._phase("the 25 s after", 25)
        one.weirs[0].crash_and_restart()
        self._phase("one is killed (SIGKILL) and started again", 80)
        self._phase("the 20 s after, with three instances' scripts", 20)

    def _phase(self, name: str, seconds: float) -> None:
        begun = time.time()
        time.sleep(seconds)
        self._all.append((name, begun, time.time()))

    def rows(self, counted: Sampler) -> Iterator[str]:
        """Say of each at which rate files came, and the most that was counted."""
        one, shift = self._one, time.time() - time.monotonic()
        ends = [end for batch in one.done for end in batch.finished]
        for name, begun, ended in self._all:
            rate = sum(begun <= end < ended for end in ends) / (ended - begun)
            most = max(some for at, some in counted.samples if begun <= at + shift < ended)
            yield f"| {name} | {rate / one.possible:.0%} | {most} |"


def long_run() -> str:
    """Let everything happen that docs/SCALE.md tells of; return its table."""
    with instances(lease="60s", recovery="30s") as one:
        phases = Phases(one)
        with Sampler(lambda: one.firewall.now) as counted:
            one.begin(1_000_000, last_start=time.time() + LENGTH)
            one.until_used(BUDGET - 5)  # the store is new: nobody gets a slot for a while
            time.sleep(3 * HOLD)  # the first burst passes
            phases.play()
            one.finish()
        lines = ["| while | rate | the firewall counted at most |", "|---|---|---|"]
        lines += phases.rows(counted)
        lines += ["", f"at most {one.firewall.most} of {BUDGET}"]
    cut = [batch for batch in one.done if batch.errors]
    lines += [f"{len(batch.errors)} scripts of one instance: {batch.errors}" for batch in cut]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(f"{long_run()}\n")
