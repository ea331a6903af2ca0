"""Many clients of one bad kind, in a process of their own: `python -m tests.support.horde`.

Each kind is a function; what its clients came to is counted by the words that they heard last.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Self, TypeAlias

from .apart import begun_apart
from .users import ALICE

REST = 0.2  # seconds between two bytes of one who takes his time


@dataclass
class Horde:
    """How many come, from where, and for how long; afterwards what they heard."""

    kind: str
    host: str
    port: int
    count: int
    seconds: float
    source: str = "127.0.0.3"
    heard: dict[str, int] = field(default_factory=dict)  # the last code, or "nothing"

    def __enter__(self) -> Self:
        self._process = begun_apart(self, [])
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as told:
            text = told.read()
        if self._process.wait():
            raise RuntimeError("the horde failed")
        self.heard = json.loads(text)


class Fellow:
    """One of them."""

    def __init__(self, horde: Horde) -> None:
        self._horde = horde
        self.said = b""

    async def come(self) -> None:
        """Connect."""
        self.reader, self.writer = await asyncio.open_connection(
            self._horde.host, self._horde.port, local_addr=(self._horde.source, 0)
        )

    async def log_in(self) -> None:
        """Come and log in."""
        await self.come()
        await self.hear("220")
        for line, code in (
            (f"USER {ALICE.name}", "331"),
            (f"PASS {ALICE.password}", "230"),
            ("TYPE I", "200"),
        ):
            self.writer.write(line.encode() + b"\r\n")
            await self.hear(code)

    async def hear(self, code: str) -> bytes:
        """Read on to a reply with this code."""
        while True:
            line = await self.reader.readuntil(b"\r\n")
            self.said = line
            if line.startswith(code.encode() + b" "):
                return line

    async def hear_out(self) -> None:
        """Read to the end."""
        while line := await self.reader.readline():
            self.said = line

    async def passive(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a data connection."""
        self.writer.write(b"PASV\r\n")
        *_, high, low = re.findall(rb"\d+", await self.hear("227"))
        return await asyncio.open_connection(
            self._horde.host, int(high) * 256 + int(low), local_addr=(self._horde.source, 0)
        )


async def storms(fellow: Fellow) -> None:
    """Connect and wait."""
    await fellow.come()
    await fellow.hear_out()


async def takes_his_time(fellow: Fellow) -> None:
    """Send a line byte by byte, and never end it."""
    await fellow.come()
    async with asyncio.TaskGroup() as tasks:
        hearing = tasks.create_task(fellow.hear_out())
        while not hearing.done():
            fellow.writer.write(b"x")
            await asyncio.sleep(REST)


async def floods(fellow: Fellow) -> None:
    """Ask for nothing as often as possible."""
    await fellow.log_in()
    while True:
        fellow.writer.write(b"NOOP\r\n" * 50)
        for _ in range(50):
            await fellow.hear("200")


async def does_not_listen(fellow: Fellow) -> None:
    """Ask, and never read an answer."""
    await fellow.log_in()
    fellow.writer.transport.pause_reading()  # type: ignore[attr-defined]
    while True:
        fellow.writer.write(b"HELP\r\n" * 1000)
        await fellow.writer.drain()


async def trickles(fellow: Fellow) -> None:
    """Upload a byte now and then."""
    await fellow.log_in()
    _, data = await fellow.passive()
    fellow.writer.write(b"STOR trickle-%d\r\n" % id(fellow))
    await fellow.hear("150")
    while True:
        data.write(b"x")
        await asyncio.sleep(REST)


async def dozes(fellow: Fellow) -> None:
    """Ask for a large file, and read nothing of it."""
    await fellow.log_in()
    reader, _ = await fellow.passive()
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    fellow.writer.write(b"RETR large\r\n")
    await fellow.hear_out()


Kind: TypeAlias = Callable[[Fellow], Awaitable[None]]
KINDS: tuple[Kind, ...] = (storms, takes_his_time, floods, does_not_listen, trickles, dozes)


async def run(horde: Horde) -> Counter[str]:
    """Let them all come at once, and leave when the time is over."""
    kind = next(kind for kind in KINDS if kind.__name__ == horde.kind)
    fellows = [Fellow(horde) for _ in range(horde.count)]

    async def live(fellow: Fellow) -> None:
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(horde.seconds):
                await kind(fellow)

    await asyncio.gather(*map(live, fellows))
    return Counter(fellow.said[:3].decode() or "nothing" for fellow in fellows)


if __name__ == "__main__":
    json.dump(asyncio.run(run(Horde(**json.load(sys.stdin)))), sys.stdout)
