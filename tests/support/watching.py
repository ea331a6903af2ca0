"""Watch a namespace while a test runs: flows by the kernel's own events, sockets by sampling.

Reading the table of flows under load repeats and mixes its entries, so flows are counted from
events: each is announced once when it is new and once when it is forgotten.
"""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from .namespaces import Namespace
from .programs import program
from .waiting import until

EVENT = re.compile(
    r"\[(?P<time>[\d.]+)\s*\]\s+\[(?P<kind>NEW|DESTROY)\].*?"
    r"src=(?P<source>\S+) dst=(?P<target>\S+) sport=(?P<sport>\d+) dport=(?P<dport>\d+)"
)
NETFILTER: Final = "12"  # the protocol's number in /proc/net/netlink
BUFFER: Final = 16 * 1024 * 1024


class FlowWatch:
    """What a firewall that tracks connections counts, from the entry of the block to its exit.

    `source` counts only flows that this address began. Flows older than the watch are not counted.
    """

    def __init__(self, namespace: Namespace, source: str | None = None) -> None:
        self._namespace = namespace
        self._source = source
        self._alive: set[tuple[str, ...]] = set()
        self._complaints = ""
        self.opened = 0
        self.most = 0
        self.history: list[tuple[float, int]] = []  # (Unix time, flows from then on)

    def __enter__(self) -> Self:
        self._namespace.setting("net.netfilter.nf_conntrack_events", 1)
        command = [program("conntrack"), "-E", "-p", "tcp", "-e", "NEW,DESTROY", "-o", "timestamp"]
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
        """The number of flows alive."""
        return len(self._alive)

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
                    self._count(event)

    def _read_complaints(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            self._complaints = lines.read()

    def _count(self, event: re.Match[str]) -> None:
        if self._source not in (None, event["source"]):
            return
        flow = event.group("source", "target", "sport", "dport")
        if event["kind"] == "NEW":
            self._alive.add(flow)
            self.opened += 1
            self.most = max(self.most, len(self._alive))
        else:
            self._alive.discard(flow)
        self.history.append((float(event["time"]), len(self._alive)))


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
            while True:
                found = self._ask()
                self.most = max(self.most, found)
                self.samples.append((time.monotonic(), found))
                if self._over.wait(self._every):
                    return
        except Exception as error:  # raised again where the block ends
            self._error = error
