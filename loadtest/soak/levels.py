"""What the proxy holds: read from /proc by us, and told by its own /metrics. Judges nothing."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Final

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from loadtest import words
from loadtest.cost import cost_of
from loadtest.proxied import Ftpweir


@dataclass(frozen=True, slots=True)
class Sample:
    """One moment."""

    at: float  # seconds since the first one
    memory: int
    descriptors: int
    threads: int
    tasks: int
    sessions: int
    slots: int
    transfers: int  # that have ended so far


@dataclass(frozen=True, slots=True)
class Level:
    """Something that must come back to where it was; the name is the sample's field."""

    name: str
    title: str
    grain: float  # the least growth that means anything
    told: Callable[[float], str] = words.number
    unit: float = 1  # in whose round numbers an axis is marked


LEVELS: Final = (
    # Ten minutes are 50,000 transfers: 20 bytes for each, and no object is so small.
    Level("memory", "Memory (resident)", 1 << 20, words.size, 1 << 20),
    Level("descriptors", "Descriptors", 1),
    Level("tasks", "Tasks of the loop", 1),
    Level("threads", "Threads", 1),
    Level("sessions", "Sessions of clients", 1),
    Level("slots", "Slots, open and cooling", 1),
)


class Watch:
    """Samples a proxy while the load lasts, or until the proxy is gone."""

    def __init__(self, every: float, until: float) -> None:
        self.samples: list[Sample] = []
        self._every = every
        self._until = until  # after that scripts only come to an end

    async def __call__(self, proxy: Ftpweir) -> None:
        """Watch it."""
        assert proxy.child is not None
        began = due = monotonic()
        async with aiohttp.ClientSession() as http:
            while due - began < self._until:
                sample = await _look(proxy.child.pid, proxy.status, http, began)
                if sample is None:
                    return
                self.samples.append(sample)
                due += self._every
                await asyncio.sleep(max(0.0, due - monotonic()))


async def _look(pid: int, status: str, http: aiohttp.ClientSession, began: float) -> Sample | None:
    try:
        async with http.get(f"http://{status}/metrics") as page:
            told = _sums(await page.text())
        at = monotonic() - began
        cost = cost_of(pid)
        descriptors, threads = _count(pid, "fd"), _count(pid, "task")
    except (aiohttp.ClientError, OSError):
        return None
    if cost is None:
        return None
    return Sample(
        at=at,
        memory=cost.memory,
        descriptors=descriptors,
        threads=threads,
        tasks=told["ftpweir_tasks"],
        sessions=told["ftpweir_client_sessions"],
        slots=told["ftpweir_budget_slots"],
        transfers=told["ftpweir_transfers_total"],
    )


def _count(pid: int, what: str) -> int:
    return len(os.listdir(f"/proc/{pid}/{what}"))


def _sums(page: str) -> Counter[str]:
    """Return the sum of every metric over its labels."""
    sums: Counter[str] = Counter()
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            sums[sample.name] += int(sample.value)
    return sums
