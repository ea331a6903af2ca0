"""Processes of a run, each with an owner: they are started, listened to, and always ended.

They live in sessions of their own, so ^C reaches only the parent, which then cuts the run in order.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[1]
LONGEST_LINE = 16 * 1024 * 1024


class ChildFailed(Exception):
    """A process of the run ended, or did not begin, as it should have."""


class Child:
    """One process; its last words are kept."""

    def __init__(self, name: str, command: Sequence[str], log: Path) -> None:
        self.name = name
        self.last: dict[str, Any] = {}
        self._command = command
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    @classmethod
    def module(
        cls, name: str, module: str, log: Path, *arguments: str, before: Sequence[str] = ()
    ) -> Child:
        """Prepare `python -m module`, perhaps behind another command."""
        return cls(name, [*before, sys.executable, "-m", module, *arguments], log)

    @property
    def pid(self) -> int:
        """The number of the process."""
        if self._process is None:
            raise ChildFailed(f"{self.name} was not started")
        return self._process.pid

    @property
    def output(self) -> asyncio.StreamReader:
        """What it prints."""
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout

    async def start(self, wishes: Mapping[str, object] | None = None) -> None:
        """Start it and hand it its wishes, a line of JSON."""
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(CHECKOUT)}
        environment.pop("PYTHONASYNCIODEBUG", None)  # it would slow down what is measured
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE if wishes is not None else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=environment,
                start_new_session=True,
                limit=LONGEST_LINE,
            )
        if wishes is not None:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(wishes).encode() + b"\n")
            await self._process.stdin.drain()
            self._process.stdin.close()

    async def line(self, within: float = 20.0) -> str:
        """Return the next line it prints. Raises ChildFailed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                if line := await self.output.readline():
                    return line.decode(errors="replace")
        raise ChildFailed(f"{self.name} did not start as it should:\n{self.complaints()}")

    async def settled(self, within: float = 0.5) -> None:
        """Give it a moment to say no. Raises ChildFailed when it has ended meanwhile."""
        assert self._process is not None
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._process.wait()
            raise ChildFailed(f"{self.name} ended at once:\n{self.complaints()}")

    async def listen(self, told: Callable[[dict[str, Any]], None] | None = None) -> None:
        """Keep the last line of JSON until it ends."""
        while line := await self.output.readline():
            with suppress(ValueError):
                self.last = json.loads(line)
                if told is not None:
                    told(self.last)

    async def drain(self) -> None:
        """Read and forget, so the process never waits for a reader."""
        while await self.output.read(65536):
            pass

    def cut(self) -> None:
        """Ask it to end early."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                # Not send_signal: it may reap the process under asyncio's own waiter.
                os.kill(self._process.pid, signal.SIGTERM)

    async def wait(self) -> int:
        """Return its exit code once it has ended."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self, within: float = 10.0) -> None:
        """End it, at once if it does not listen."""
        if self._process is None or self._process.returncode is not None:
            return
        self.cut()
        try:
            async with asyncio.timeout(within):
                await self._process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    def complaints(self) -> str:
        """Return the end of what it wrote to standard error."""
        return self._log.read_text(errors="replace")[-2000:] if self._log.is_file() else ""
