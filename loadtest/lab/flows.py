"""A counter of the middlebox's kind: every flow the kernel tracks, until its timeout is over. Root.

Flows come from the kernel's *events*: reading the table under load repeats and mixes entries. The
kernel tells of changes at once but sweeps out expired flows when it has leisure, so the expiry is
computed from the time that the last state was given, as the kernel does when it lists the table.
"""

from __future__ import annotations

import heapq
import os
import re
import subprocess
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

from .namespaces import Side, program

Flow: TypeAlias = tuple[str | Any, ...]  # source, target, and both ports, as re gives its groups

EVENT = re.compile(
    r"\[(?P<time>[\d.]+)\s*\]\s+\[(?P<kind>NEW|UPDATE|DESTROY)\]\s+tcp\s+6\s+(?P<left>\d+)?.*?"
    r"src=(?P<source>\S+) dst=(?P<target>\S+) sport=(?P<sport>\d+) dport=(?P<dport>\d+)"
)
ENTRY = re.compile(
    r"tcp\s+6\s+(?P<left>\d+)\s.*?"
    r"src=(?P<source>\S+) dst=(?P<target>\S+) sport=(?P<sport>\d+) dport=(?P<dport>\d+)"
)
# How long a flow counts in its last states. All that a flow may end in has the same time here.
ENDS = ("time_wait", "close", "syn_sent", "syn_recv", "last_ack", "close_wait", "fin_wait")
NETFILTER: Final = "12"  # the protocol's number in /proc/net/netlink
BUFFER: Final = 16 * 1024 * 1024
SOON = 5.0


def compress(side: Side, seconds: int) -> None:
    """Let every ended flow count for so long instead of 10 to 120 s."""
    for state in ENDS:
        side.setting(f"net.netfilter.nf_conntrack_tcp_timeout_{state}", seconds)


@dataclass(slots=True)
class Tally:
    """Which flows count at which moment. Fed with events; knows no process and no clock."""

    by_source: Counter[str] = field(default_factory=Counter)
    most: int = 0  # of any one address
    # Unix time of each new flow, by who began it.
    opened: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    _expiry: dict[Flow, float] = field(default_factory=dict)
    # A heap; may name an expiry that was put off since.
    _by_expiry: list[tuple[float, Flow]] = field(default_factory=list)

    def told(self, line: str) -> str | None:
        """Take one line of `conntrack -E -o timestamp`; return the address that it was about."""
        event = EVENT.search(line)
        if event is None:
            return None
        moment = float(event["time"])
        flow = event.group("source", "target", "sport", "dport")
        self.forget_expired(moment)
        if event["kind"] == "DESTROY":
            self._drop(flow)
        elif event["kind"] == "NEW" or flow in self._expiry:
            if event["kind"] == "NEW":
                self.opened[event["source"]].append(moment)
            self._keep(flow, moment + float(event["left"]))
        self.most = max(self.most, self.by_source[event["source"]])
        return event["source"]

    def listed(self, line: str, moment: float) -> None:
        """Take one line of `conntrack -L`: a flow whose events were lost is counted from now on."""
        entry = ENTRY.search(line)
        if entry is None:
            return
        flow = entry.group("source", "target", "sport", "dport")
        if flow not in self._expiry:
            self.opened[entry["source"]].append(moment)
            self._keep(flow, moment + float(entry["left"]))
            self.most = max(self.most, self.by_source[entry["source"]])

    def forget_expired(self, moment: float) -> None:
        """Let go of what has expired by then."""
        while self._by_expiry and self._by_expiry[0][0] <= moment:
            expiry, flow = heapq.heappop(self._by_expiry)
            if self._expiry.get(flow) == expiry:
                self._drop(flow)

    def _keep(self, flow: Flow, expiry: float) -> None:
        if flow not in self._expiry:
            self.by_source[str(flow[0])] += 1
        self._expiry[flow] = expiry
        heapq.heappush(self._by_expiry, (expiry, flow))

    def _drop(self, flow: Flow) -> None:
        if self._expiry.pop(flow, None) is not None:
            self.by_source[str(flow[0])] -= 1


class FlowCounter:
    """Follows one side's connection tracking while the block lasts; bans who has too many flows."""

    def __init__(
        self, side: Side, *, limit: int, ban: Callable[[str], None] = lambda address: None
    ) -> None:
        self._side = side
        self._limit = limit
        self._ban = ban
        self._tally = Tally()
        self._counting = threading.Lock()
        self.banned: set[str] = set()

    def __enter__(self) -> Self:
        self._side.setting("net.netfilter.nf_conntrack_events", 1)
        self._process = subprocess.Popen(
            self._side.inside(
                *(program("conntrack"), "-E", "-p", "tcp", "-o", "timestamp"),
                *("--buffer-size", str(BUFFER)),
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        # Events are stamped when they are read: read late, an end seems to hold too long.
        with suppress(PermissionError):
            os.sched_setscheduler(self._process.pid, os.SCHED_FIFO, os.sched_param(1))
        self._readers = [
            threading.Thread(target=self._read_events, daemon=True),
            threading.Thread(target=self._read_complaints, daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        deadline = time.monotonic() + SOON
        while not self._is_listening():
            if time.monotonic() > deadline:
                raise TimeoutError("conntrack does not listen for events")
            time.sleep(0.01)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait()
        for reader in self._readers:
            reader.join()

    @property
    def now(self) -> int:
        """Flows of the busiest address that have not expired."""
        with self._counting:
            self._tally.forget_expired(time.time())
            return max(self._tally.by_source.values(), default=0)

    @property
    def most(self) -> int:
        """The most flows that one address ever had."""
        return self._tally.most

    def opened(self, source: str) -> list[float]:
        """When each flow of an address began, in Unix time."""
        return self._tally.opened[source]

    def _read_events(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                with self._counting:
                    source = self._tally.told(line)
                    over = source is not None and self._tally.by_source[source] > self._limit
                if over and source is not None and source not in self.banned:
                    self.banned.add(source)
                    self._ban(source)

    def _read_complaints(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                if "ENOBUFS" in line:
                    self._take_stock()

    def _take_stock(self) -> None:
        """The kernel could not tell of an event: see in its table which flow we do not know.

        It happens once in a while with an empty queue, so a larger buffer is no help (measured).
        """
        table = self._side.run(program("conntrack"), "-L", "-p", "tcp")
        with self._counting:
            for line in table.splitlines():
                self._tally.listed(line, time.time())

    def _is_listening(self) -> bool:
        process = Path(f"/proc/{self._process.pid}")
        try:
            own = {str(entry.readlink()) for entry in (process / "fd").iterdir()}
            table = (process / "net" / "netlink").read_text()
        except FileNotFoundError:  # a descriptor that was closed while we looked
            return False
        rows = (line.split() for line in table.splitlines()[1:])
        return any(
            row[1] == NETFILTER and int(row[3], 16) != 0 and f"socket:[{row[-1]}]" in own
            for row in rows
        )
