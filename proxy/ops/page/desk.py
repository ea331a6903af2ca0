"""The desk: the status page of several workers, each of which it asks by its hatch.

A process of its own, so that a worker that hangs or dies leaves nobody without a view. Keeps
nothing but the last answer, and has nobody do anything.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter

from proxy.config.in_effect import Setting

from ..lookout import FRESH
from ..metrics.together import Pages
from ..pulse import Sample
from ..snapshot import Snapshot
from ..together import one_history, one_list, one_snapshot
from .hatch import Hatch, NoSign
from .view import NoSight

SNAPSHOT: Final = TypeAdapter(Snapshot)
SETTINGS: Final = TypeAdapter(tuple[Setting, ...])

T = TypeVar("T")


class Desk:
    """A View that asks all workers at once."""

    def __init__(self, hatches: Sequence[Hatch], clock: Callable[[], float]) -> None:
        self._hatches = hatches
        self._clock = clock
        self._last: Snapshot | None = None
        self._asked_at = float("-inf")
        self._asking = asyncio.Lock()
        self._of: Snapshot | None = None  # what the page was written of
        self._page = b""

    async def snapshot(self) -> Snapshot:
        """Return what they have together, at most FRESH seconds old."""
        async with self._asking:
            if self._last is None or self._clock() - self._asked_at >= FRESH:
                self._last = None
                self._last = one_snapshot(await self._answers("/api/status", _snapshot))
                self._asked_at = self._clock()
            return self._last

    async def metrics(self) -> bytes:
        """Return one page for all, written once a snapshot."""
        if (seen := await self.snapshot()) is self._of:
            return self._page
        pages = await self._answers("/metrics", bytes.decode)
        told = {number: page for number, page in enumerate(pages, 1) if page is not None}
        self._of, self._page = seen, Pages(told, seen).page()
        return self._page

    async def history(self) -> Sequence[Sample]:
        """Return how full it was for all of them."""
        histories = await self._answers("/api/history", _history)
        return tuple(one_history([one for one in histories if one is not None]))

    async def settings(self) -> Sequence[Setting]:
        """Return every setting, with all parts of what is divided."""
        lists = await self._answers("/api/config", _settings)
        return tuple(one_list([one for one in lists if one is not None]))

    async def silent(self) -> Sequence[str]:
        """Name the workers that do not answer."""
        answers = await self._all(lambda hatch: hatch.ask("/healthz"))
        return [f"worker {at}" for at, answer in enumerate(answers, 1) if answer is None]

    async def _answers(self, path: str, read: Callable[[bytes], T]) -> list[T | None]:
        """Ask everybody, and return what was understood; NoSight if that is nothing."""
        found: list[T | None] = []
        for answer in await self._all(lambda hatch: hatch.ask(path)):
            try:
                found.append(None if answer is None else read(answer))
            except (ValueError, TypeError, LookupError):
                found.append(None)
        if all(one is None for one in found):
            raise NoSight("no worker answers")
        return found

    async def _all(self, ask: Callable[[Hatch], Coroutine[Any, Any, T]]) -> list[T | None]:
        async def one(hatch: Hatch) -> T | None:
            try:
                return await ask(hatch)
            except NoSign:
                return None

        return await asyncio.gather(*(one(hatch) for hatch in self._hatches))


def _snapshot(body: bytes) -> Snapshot:
    return SNAPSHOT.validate_json(body)


def _history(body: bytes) -> list[Sample]:
    return [Sample(*row) for row in json.loads(body)["samples"]]


def _settings(body: bytes) -> tuple[Setting, ...]:
    return SETTINGS.validate_python(json.loads(body)["settings"])
