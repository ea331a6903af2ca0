"""The whole proxy in this process, before a scripted server, and a raw client that knocks at it.

A test that leaves the house proves for free: nothing of it was left behind (sockets, slots, lent
ports, sessions), and nothing went wrong unseen in the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
from collections.abc import AsyncIterator, Callable
from functools import cache
from typing import Any

from proxy.app import App
from proxy.config import Config
from proxy.config.document import Document
from proxy.config.parsing import Reading
from proxy.events import Event
from proxy.gate.gate import Gate
from proxy.ops.herald import Herald
from proxy.phase import Serving
from proxy.upstream.egress import Egress
from proxy.workers import Agree, Outcome

from . import ports
from .raw_client import RawClient, patiently
from .scripted import PATIENCE, Scripted

LOOKS = 15000

EACH = 65  # ports for clients, and as many for the server


class House:
    """A running proxy."""

    def __init__(self, app: App, serving: Serving, events: list[Event], file: _File) -> None:
        self.app = app
        self.port = int(serving.listening[0].rpartition(":")[2])
        self.status = serving.status or ""  # where its page is
        self.events = events
        self._file = file

    async def reload(self, agree: Agree | None = None, **sections: Any) -> Outcome:
        """Give the file these sections instead of those it began with, and have it read anew."""
        self._file.sections = sections
        return await self.app.reload(agree)

    @contextlib.asynccontextmanager
    async def client(self, *, source: str = "127.0.0.1") -> AsyncIterator[RawClient]:
        """Connect without a word; what the client leaves open is reset at the end."""
        async with RawClient.connected(self.port, source) as client:
            yield client

    @contextlib.asynccontextmanager
    async def guest(
        self, user: str = "alice", *, source: str = "127.0.0.1"
    ) -> AsyncIterator[RawClient]:
        """Connect and log in."""
        async with self.client(source=source) as client:
            await client.expect(220)
            await client.log_in(user)
            yield client

    @property
    def gate(self) -> Gate:
        """Where those wait who are for the server of the top level."""
        return self.app.servers[0].gate

    @property
    def egresses(self) -> tuple[Egress, ...]:
        """The ways to that server."""
        return self.app.servers[0].egresses

    @property
    def lent_ports(self) -> int:
        """Listening ports lent out, both sides."""
        shared = self.app.rooms.shared
        return shared.passive_ports.lent + shared.upstream_ports.lent

    def told(self, kind: type[Event]) -> list[Any]:
        """Return the events of one kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, true: Callable[[], object]) -> None:
        """Return once `true()` is; for what no socket of the test's tells."""
        await until(true)

    async def until_quiet(self) -> None:
        """Return once every client is gone and what they held is given back."""
        await self.until(lambda: not len(self.app.roster))
        await self.until_settled()
        assert self.gate.waiting == 0
        assert self.lent_ports == 0

    async def until_settled(self) -> None:
        """Return once every session with the server is idle."""
        await self.until(self._is_settled)

    def _is_settled(self) -> bool:
        seats = self.egresses[0].pool.seats
        return self.egresses[0].budget.open == len(seats) and all(
            seat.use.name == "IDLE" for seat in seats
        )


class _File:
    """What stands for the configuration's file; a test writes it anew before a reload."""

    def __init__(self, server: Scripted, sections: dict[str, Any]) -> None:
        self._server = server
        self.sections = sections

    def read(self) -> Reading:
        return Reading(config(self._server, **self.sections), (), Document("house.yaml"))


@contextlib.asynccontextmanager
async def house(server: Scripted, **sections: Any) -> AsyncIterator[House]:
    """Run the proxy before `server`; the sections are those of the configuration file."""
    gc.collect()  # sockets of earlier tests that nobody holds any more are not ours to count
    before = open_sockets()
    unseen: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: unseen.append(context))
    events: list[Event] = []
    file = _File(server, sections)
    app = App(config(server, **sections), Herald(log=events.append), reread=file.read)
    ready: asyncio.Future[Serving] = loop.create_future()
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(app.serve(ready.set_result))
        running = House(app, await ready, events, file)
        try:
            yield running
            await running.until_quiet()
        except BaseException:
            app.stop()  # and once more below: a failed test throws everybody out
            raise
        finally:
            app.stop()
            async with patiently():
                await serving
    assert running.egresses[0].budget.open == 0
    assert running.egresses[0].pool.seats == ()
    await server.until(lambda: not server.here)
    gc.collect()  # a future that failed unheard tells so when it is collected
    await running.until(lambda: open_sockets() <= before)
    assert not unseen, unseen


def config(server: Scripted, **sections: Any) -> Config:
    """Return the configuration of a test: nothing delayed, more than enough of everything."""
    upstream: dict[str, Any] = {"host": server.host, "port": server.port}
    first = _window().start
    defaults: dict[str, Any] = {
        "listen": "127.0.0.1:0",
        "passive": {"ports": f"{first}-{first + EACH - 1}"},
        "upstream": upstream | {"ports": f"{first + EACH}-{first + 2 * EACH - 1}"},
        "budget": {"connections": 100, "headroom": 0.0, "time_wait": 0.0, "guard": 0.0},
        "state": None,
        "status": None,
        "refusals": {"delay": 0.0},
        "login": {"delay": 0.0},
        "timeouts": {"drain": 5.0, "outage": 0.0},
        "clients": [{"name": "everyone"}],
    }
    for name, section in sections.items():
        known = defaults.get(name)
        defaults[name] = known | section if isinstance(known, dict) else section
    return Config.model_validate(defaults)


@cache
def _window() -> range:
    """The ports of every house of this process: there is one at a time."""
    return ports.lend()


async def until(true: Callable[[], object]) -> None:
    """Return once `true()` is."""
    for _ in range(LOOKS):
        if true():
            return
        await asyncio.sleep(PATIENCE / LOOKS)
    raise TimeoutError(f"waited {PATIENCE:g} s in vain")


def open_sockets() -> int:
    """Count the sockets of this process."""
    count = 0
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            count += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
    return count
