"""Watch a namespace while a test runs: flows by the kernel's own events, sockets by sampling.

Reading the table of flows under load repeats and mixes its entries, so flows are counted from
events. The kernel announces at once that a flow is new or has changed its state, but sweeps out
expired ones only when it has leisure, even minutes later: when a flow has expired is computed from
the time that its last state gives it, as the kernel's own table does when it is listed.
"""

from __future__ import annotations

import heapq
import re
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

from .namespaces import Namespace
from .programs import program
from .waiting import until

Flow: TypeAlias = tuple[str | Any, ...]  # addresses and ports, as re gives its groups

EVENT = re.compile(
    r"\[(?P<time>[\d.]+)\s*\]\s+\[(?P<kind>NEW|UPDATE|DESTROY)\]\s+tcp\s+6\s+(?P<left>\d+)?.*?"
    r"src=(?P<source>\S+) dst=(?P<target>\S+) sport=(?P<sport>\d+) dport=(?P<dport>\d+)"
)
NETFILTER: Final = "12"  # the protocol's number in /proc/net/netlink
BUFFER: Final = 256 * 1024 * 1024  # 16 MiB, 2,000 events, were lost on a busy machine


class FlowWatch:
    """What a firewall that tracks connections counts, from the entry of the block to its exit.

    `source` counts only flows that this address began. Flows older than the watch are not counted.
    """

    def __init__(self, namespace: Namespace, source: str | None = None) -> None:
        self._namespace = namespace
        self._source = source
        self._expiry: dict[Flow, float] = {}
        self._by_expiry: list[tuple[float, Flow]] = []  # a heap; may name an expiry put off since
        self._counting = threading.Lock()
        self._complaints = ""
        self.opened = 0
        self.most = 0
        self.history: list[tuple[float, int]] = []  # (Unix time, flows from then on)

    def __enter__(self) -> Self:
        self._namespace.setting("net.netfilter.nf_conntrack_events", 1)
        command = [program("conntrack"), "-E", "-p", "tcp", "-o", "timestamp"]
        self._process = subprocess.Popen(
            self._namespace.inside([*command, "--buffer-size", str(BUFFER)]),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._readers = [
            threading.Thread(target=self._read_events, daemon=True),
            threading.Thread(target=self._read_complaints, daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        until(self._is_listening, "conntrack listens for events")
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
        if "ENOBUFS" in self._complaints and error is None:
            raise RuntimeError("the kernel dropped events: the flows were not all counted")

    @property
    def now(self) -> int:
        """The number of flows that have not expired."""
        with self._counting:
            self._forget_expired(time.time())
            return len(self._expiry)

    def _is_listening(self) -> bool:
        process = Path(f"/proc/{self._process.pid}")
        try:
            own = {str(entry.readlink()) for entry in (process / "fd").iterdir()}
        except FileNotFoundError:  # a descriptor that was closed while we looked
            return False
        rows = (line.split() for line in (process / "net" / "netlink").read_text().splitlines()[1:])
        return any(
            row[1] == NETFILTER and int(row[3], 16) != 0 and f"socket:[{row[-1]}]" in own
            for row in rows
        )

    def _read_events(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                if event := EVENT.search(line):
                    with self._counting:
                        self._count(event)

    def _read_complaints(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            self._complaints = lines.read()

    def _count(self, event: re.Match[str]) -> None:
        if self._source not in (None, event["source"]):
            return
        flow = event.group("source", "target", "sport", "dport")
        moment = float(event["time"])
        self._forget_expired(moment)
        if event["kind"] == "NEW":
            self.opened += 1
        if event["kind"] == "DESTROY":
            self._expiry.pop(flow, None)
        elif event["kind"] == "NEW" or flow in self._expiry:
            self._expiry[flow] = moment + float(event["left"])
            heapq.heappush(self._by_expiry, (self._expiry[flow], flow))
        self.most = max(self.most, len(self._expiry))
        self.history.append((moment, len(self._expiry)))

    def _forget_expired(self, moment: float) -> None:
        while self._by_expiry and self._by_expiry[0][0] <= moment:
            expiry, flow = heapq.heappop(self._by_expiry)
            if self._expiry.get(flow) == expiry:
                del self._expiry[flow]


class Sampler:
    """Ask for a number again and again while the block runs, and keep the largest."""

    def __init__(self, ask: Callable[[], int], every: float = 0.02) -> None:
        self._ask = ask
        self._every = every
        self._over = threading.Event()
        self._error: Exception | None = None
        self.most = 0
        self.samples: list[tuple[float, int]] = []  # (monotonic time, number)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        # A sampler that died early must not look like one that saw nothing.
        if self._error is not None and error is None:
            raise self._error

    def _sample(self) -> None:
        try:
            last = False
            while not last:
                last = self._over.wait(self._every)  # and once more after the end
                found = self._ask()
                self.most = max(self.most, found)
                self.samples.append((time.monotonic(), found))
        except Exception as error:  # raised again where the block ends
            self._error = error
