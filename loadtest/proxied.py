"""ftpweir as the run starts it: a process of its own, with a configuration made from the scenario.

What the scenario says under `ftpweir:` wins; everything else follows from the server's limits.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from .children import Child, ChildFailed
from .ports import FIRST, free_port
from .scenario import Scenario

PLENTY = 50  # sessions, when the server allows any number
LOWEST, HIGHEST = 2_000, FIRST - 1  # below the ports that free_port tells
ACTIVE = 500  # ports for a server that connects to us


def configuration(
    scenario: Scenario, upstream: tuple[str, int], port: int, status: str
) -> dict[str, Any]:
    """Return the proxy's configuration as plain data; `status` is HOST:PORT of its status page."""
    first, last = _ports(scenario)
    wall = scenario.firewall
    config: dict[str, Any] = {
        "listen": f"127.0.0.1:{port}",
        "status": status,  # its default may be one of the passive ports
        "passive": {"ports": f"{first}-{last}"},
        "upstream": {
            "host": upstream[0],
            "port": upstream[1],
            "sessions": _sessions(scenario),
            "ports": f"{last + 1}-{last + ACTIVE}",
        },
        "budget": {"enforce": "off"},
        "clients": [{"name": "everyone", "sessions": max(50, scenario.scripts_in_all + 1)}],
        "login": {"anonymous": "allow"},  # how the scripts log in to vsftpd
        "log": {"format": "json", "level": "warning"},
    }
    if wall.connections is not None:
        config["budget"] = {
            "connections": wall.connections,
            "time_wait": f"{round(wall.time_wait * 1000)}ms",
        }
    for section, keys in scenario.ftpweir.items():
        known = config.get(section)
        config[section] = {**known, **keys} if isinstance(known, dict) else keys
    return config


def _ports(scenario: Scenario) -> tuple[int, int]:
    """Choose ports for every script at once; runs side by side begin at different ones."""
    many = min(max(1500, scenario.scripts_in_all + 500), 18_000)
    room = HIGHEST - LOWEST - many - ACTIVE
    first = LOWEST + os.getpid() * 1777 % room
    return first, first + many - 1


def _sessions(scenario: Scenario) -> int:
    if scenario.server.sessions_per_address is not None:
        return scenario.server.sessions_per_address
    # Control connections count at the firewall too: most of its budget is for data.
    most = scenario.firewall.connections
    return PLENTY if most is None else max(1, min(PLENTY, most // 4))


class Ftpweir:
    """The proxy under test."""

    def __init__(
        self,
        scenario: Scenario,
        folder: Path,
        before: Sequence[str] = (),
        module: str = "proxy",
    ) -> None:
        self.host = "127.0.0.1"
        self.port = 0
        self.status = ""  # HOST:PORT of its status page
        self._module = module
        self._scenario = scenario
        self._folder = folder
        self._before = before
        self.child: Child | None = None

    async def start(self, upstream: tuple[str, int]) -> None:
        """Return when it says that it is ready. Raises ChildFailed."""
        self.port, status = free_port(), free_port()
        self.status = f"{self.host}:{status}"
        config = configuration(self._scenario, upstream, self.port, self.status)
        file = self._folder / "ftpweir.yaml"
        file.write_text(yaml.safe_dump(config, sort_keys=False))
        self.child = Child.module(
            "ftpweir",
            self._module,
            self._folder / "ftpweir.log",
            *("run", "-c", str(file)),
            before=self._before,
        )
        await self.child.start()
        while "ready" not in await self.child.line():
            pass

    async def serve(self) -> None:
        """Read what it prints until it ends. Raises ChildFailed when it dies in the run."""
        assert self.child is not None
        await self.child.drain()
        raise ChildFailed(f"ftpweir ended in the middle of the run:\n{self.child.complaints()}")

    async def stop(self) -> None:
        """End it: what still runs has been cut anyway."""
        if self.child is not None:
            with suppress(ChildFailed):
                await self.child.stop(within=3.0)


async def answers(host: str, port: int, within: float = 10.0) -> None:
    """Return once somebody greets there. Raises ChildFailed."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            while True:
                with suppress(OSError):
                    reader, writer = await asyncio.open_connection(host, port)
                    greeted = await reader.readline()
                    writer.close()
                    if greeted:
                        return
                await asyncio.sleep(0.05)
    raise ChildFailed(f"nobody greets at {host}:{port}")
