"""A monkey with a seed breaks whatever can be broken while scripts work: nobody is deceived.

FTPWEIR_CHAOS_SECONDS and FTPWEIR_CHAOS_SEED make it longer, or another one.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from loadtest.cost import cost_of
from loadtest.lab.flows import FlowCounter, compress
from loadtest.lab.namespaces import Lab, Side, lab
from tests.support import sockets
from tests.support.calamities import WallClock, full, small_disk
from tests.support.namespaces import inside
from tests.support.proxy import Ftpweir, exactly
from tests.support.rabble import Rabble
from tests.support.servers import Vsftpd
from tests.support.users import ALICE
from tests.support.waiting import until

SECONDS = float(os.environ.get("FTPWEIR_CHAOS_SECONDS", "25"))
SEED = int(os.environ.get("FTPWEIR_CHAOS_SEED", "7"))
SCRIPTS = 50
SESSIONS = 6
BUDGET = 60
HOLD = 3
GUARD = 2  # what the network may be silent for while a connection ends (stall_data: 1 s and a bit)
PORTS = (40_000, 40_999)
DISK = 400  # MiB that the scripts' files have
MOST_MEMORY = 160 << 20

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(SECONDS + 150)]

RESETS = """
table inet monkey {
  chain input {
    type filter hook input priority 0
    tcp dport 40000-40999 tcp flags & (syn | rst) == 0 reject with tcp reset
  }
}
"""
SILENCE = RESETS.replace("reject with tcp reset", "drop")
# As a firewall bans: whatever the proxy sends, and whatever is sent to it.
BAN = """
table inet monkey {
  chain input {
    type filter hook input priority 0
    meta l4proto tcp drop
  }
  chain output {
    type filter hook output priority 0
    meta l4proto tcp drop
  }
}
"""


class Monkey:
    """What it may do, and how often it did."""

    def __init__(
        self, seed: int, where: Lab, server: Vsftpd, weir: Ftpweir, disk: Path, clock: WallClock
    ) -> None:
        self._chance = random.Random(seed)
        self._lab, self._server, self._weir = where, server, weir
        self._disk, self._clock = disk, clock
        self.deeds: Counter[str] = Counter()

    def play(self, seconds: float) -> None:
        """Break things until the time is over."""
        tricks: list[Callable[[], None]] = [
            self.kill_server,
            self.kill_proxy,
            self.reset_data,
            self.stall_data,
            self.stop_server,
            self.ban,
            self.fill_disk,
            self.step_clock,
            self.reload,
            self.talk_nonsense,
            self.vanish,
        ]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            trick = self._chance.choice(tricks)
            trick()
            self.deeds[trick.__name__] += 1
            time.sleep(self._chance.uniform(0.3, 1.5))

    def kill_server(self) -> None:
        self._server.crash_and_restart()

    def kill_proxy(self) -> None:
        self._weir.crash_and_restart()

    def reset_data(self) -> None:
        with _rules(self._lab.server, RESETS):
            time.sleep(0.2)

    def stall_data(self) -> None:
        with _rules(self._lab.server, SILENCE):
            time.sleep(1.0)

    def stop_server(self) -> None:
        processes = self._server.processes()
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for process in processes:
                with suppress(ProcessLookupError):
                    os.kill(process, number)
            time.sleep(1.0 if number is signal.SIGSTOP else 0.0)

    def ban(self) -> None:
        with _rules(self._lab.server, BAN):
            time.sleep(1.0)

    def fill_disk(self) -> None:
        with full(self._disk):
            time.sleep(1.0)

    def step_clock(self) -> None:
        self._clock.step(self._chance)

    def reload(self) -> None:
        self._weir.signal(signal.SIGHUP)

    def talk_nonsense(self) -> None:
        """Send bytes that mean nothing, on the control and on any passive port."""

        def shout() -> None:
            with suppress(OSError), socket.create_connection(self._place, timeout=2) as sock:
                sock.sendall(self._chance.randbytes(5000))
                sock.recv(100)

        inside(self._lab.client.name, shout)

    def vanish(self) -> None:
        """Begin a login and leave without a word."""

        def leave() -> None:
            with suppress(OSError), socket.create_connection(self._place, timeout=2) as sock:
                sock.sendall(b"USER alice\r\nPASS secret\r\nPASV\r\nLIST\r\n")

        inside(self._lab.client.name, leave)

    @property
    def _place(self) -> tuple[str, int]:
        return self._weir.host, self._weir.port


@contextmanager
def _rules(side: Side, rules: str) -> Iterator[None]:
    side.run("nft", "-f", "-", text=rules)
    try:
        yield
    finally:
        side.run("nft", "delete", "table", "inet", "monkey")


def connections(weir: Ftpweir) -> int:
    """How many connections are left that somebody must still end; a killed proxy's own sockets
    stay for a minute in FIN_WAIT, which only the kernel ends."""
    held = {sockets.State.ESTABLISHED, sockets.State.CLOSE_WAIT}
    return sockets.count(weir.pid, states=held)


def state(weir: Ftpweir) -> dict[str, Any]:
    """Have the proxy tell what everybody is doing."""
    before = len(weir.events("state"))
    weir.signal(signal.SIGUSR2)
    until(lambda: len(weir.events("state")) > before, "the state is told", 10)
    return weir.events("state")[-1]


def tasks(weir: Ftpweir) -> int:
    """How many tasks its loop has."""
    return sum(int(line.split()[0]) for line in state(weir)["tasks"])


def is_ahead(told: dict[str, Any]) -> bool:
    """Tell whether that was said by a clock that is far ahead of ours."""
    return datetime.fromisoformat(told["timestamp"]) > datetime.now(UTC) + timedelta(days=90)


def test_whatever_breaks_nobody_is_deceived_and_the_budget_is_kept(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    clock = WallClock(tmp_path)
    with (
        lab() as one,
        Vsftpd(host=one.server.address, netns=one.server.name, passive_ports=PORTS) as server,
        small_disk(server, DISK) as disk,
        Ftpweir(
            server,
            environment=clock.environment,
            netns=one.client.name,
            upstream={"sessions": SESSIONS},
            budget=exactly(BUDGET, hold=HOLD, guard=GUARD),
            timeouts={"connect": "3s", "stall": "5s"},
            refusals={"delay": "100ms"},
            heal={"uploads": "on"},
        ) as weir,
    ):
        compress(one.server, HOLD)
        files = {}
        for number in range(20):
            content = chance.randbytes(int(1000 * 2000 ** chance.random()))
            server.place(f"file-{number}", content)
            files[f"file-{number}"] = hashlib.sha256(content).hexdigest()
        rabble = Rabble(
            *(weir.host, weir.port, ALICE.name, ALICE.password, SCRIPTS, SECONDS, files, SEED)
        )
        tasks_before = tasks(weir)
        with FlowCounter(one.server, limit=BUDGET) as firewall:
            process = rabble.start(one.client.inside())
            monkey = Monkey(SEED, one, server, weir, disk, clock)
            monkey.play(SECONDS)
            account = Rabble.told(process)
        broken = [
            name
            for name, digest in account.stored.items()
            if hashlib.sha256((server.home() / name).read_bytes()).hexdigest() != digest
        ]
        until(lambda: weir.sessions() == 0, "every session ends", 30)
        until(lambda: connections(weir) <= SESSIONS, "only upstream sessions are left", 30)
        # A killed proxy forgets what was open; what is left then is what this one holds.
        until(lambda: tasks(weir) <= tasks_before + SESSIONS, "the tasks have ended", 30)
        clock.set(100 * 86_400)
        # A busy machine's process may take its time to look at this clock.
        until(lambda: is_ahead(state(weir)), "the proxy lives a hundred days later", 20)
        left, cost = state(weir), cost_of(weir.pid)
        faults = weir.events("fault")
    what = f"{dict(monkey.deeds)} {account.fetched} {len(account.stored)} {account.errors}"
    assert cost is not None
    what += f" {len(left.get('upstream', []))} upstream, {cost.memory >> 20} MiB"
    assert (left.get("sessions", []), left["waiting"]) == ([], 0), what
    assert cost.memory < MOST_MEMORY, what
    assert account.wrong == [], what
    assert broken == [], what
    assert firewall.most <= BUDGET, what
    assert faults == [], what
    assert account.fetched > SECONDS, what
    assert account.stored, what
    assert account.listed, what
