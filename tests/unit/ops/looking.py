"""Ways to look at a running house: its lookout, and its status page over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from proxy.ops.lookout import Lookout
from proxy.ops.recent import Recent
from proxy.ops.snapshot import Snapshot
from tests.support.house import House, house
from tests.support.scripted import Scripted

ANYWHERE = {"address": "127.0.0.1:0"}


def lookout(home: House) -> Lookout:
    """Return one that sees this house."""
    return Lookout(home.app, Recent(time.time), time.monotonic, started=1.0)


def seen(home: House) -> Snapshot:
    """Look now."""
    return lookout(home).snapshot()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back over HTTP."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def told(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.text)


async def get(place: str, path: str, *, method: str = "GET", **headers: str) -> Answer:
    """Ask the status address; header names are written with underscores."""

    def ask() -> Answer:
        with contextlib.closing(http.client.HTTPConnection(place, timeout=20)) as connection:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, headers=sent)
            answer = connection.getresponse()
            fields = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, fields, answer.read().decode())

    return await asyncio.to_thread(ask)


@contextlib.asynccontextmanager
async def open_house(server: Scripted, **sections: Any) -> AsyncIterator[House]:
    """Run a house whose status page is open."""
    async with house(server, **{"status": ANYWHERE, **sections}) as home:
        yield home
