"""Fuzz the running proxy from both sides: `python -m tests.fuzz.protocol SECONDS [SEED]`.

Hostile clients come and go, the server lies to them, and one honest client works beside them. After
each round all must be as before. What breaks a rule ends the run with the seed and a transcript.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from pathlib import Path

from tests.support.proxy import Ftpweir
from tests.support.raw_client import RawClient
from tests.support.scripted import Scripted, scripted

from .hostile_client import PATIENCE, Assailant, Finding
from .hostile_server import Liar

ROUND = 8.0  # seconds
CROWD = 16  # hostile clients at once
HONEST = "alice"
FILES = {b"/honest-ten": b"0123456789", b"/honest-big": bytes(range(256)) * 8000}
BAIT = {b"/ten": b"0123456789", b"/big": bytes(2_000_000)}
MOST_GROWTH = 64 << 20  # bytes of memory, after the first round
MOST_DESCRIPTORS = 600  # more than after the first round: a listener for each of 500 ports is kept
QUICK = {"connect": "2s", "login": "5s", "final": "3s", "stall": "3s", "idle": "20s"}


class Arena:
    """The proxy, its server, and everybody who comes."""

    def __init__(self, weir: Ftpweir, server: Scripted, seed: int) -> None:
        self._weir, self._server = weir, server
        self._chance = random.Random(seed)
        self._level: tuple[int, int] | None = None
        self.visitors = self.deeds = self.rounds = 0
        self.slowest = 0.0

    async def fight(self, seconds: float) -> None:
        """Run rounds until the time is over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            over = min(end, time.monotonic() + ROUND)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._work(over))
                for _ in range(CROWD):
                    tasks.create_task(self._attack(over))
            await self._settle()
            self.rounds += 1

    async def _attack(self, until: float) -> None:
        while time.monotonic() < until:
            self.visitors += 1
            seed = self._chance.randrange(1 << 31)
            hostile = Assailant(self._weir.port, f"mallory-{self.visitors % 50}", seed)
            try:
                await hostile.run()
            except Finding as finding:
                finding.add_note(f"seed of this client: {seed}")
                for line in hostile.transcript:
                    finding.add_note(repr(line))
                raise

    async def _work(self, until: float) -> None:
        """Fetch, store and list as an honest client does; each deed within PATIENCE."""
        async with RawClient.connected(self._weir.port, "127.0.0.2") as client:
            await client.expect(220)
            await client.log_in(HONEST)
            await client.ask("TYPE I")
            while time.monotonic() < until:
                began = time.monotonic()
                try:
                    async with asyncio.timeout(PATIENCE):
                        await self._deed(client)
                except (TimeoutError, AssertionError, OSError, EOFError) as error:
                    raise Finding(f"the honest client was not served: {error!r}") from error
                self.deeds += 1
                self.slowest = max(self.slowest, time.monotonic() - began)

    async def _deed(self, client: RawClient) -> None:
        name = self._chance.choice(list(FILES))
        if await client.fetch(f"RETR {name.decode()}") != FILES[name]:
            raise Finding(f"{name!r} came wrong")
        content = self._chance.randbytes(self._chance.choice((0, 1000, 300_000)))
        await client.store("STOR /honest", content)
        if self._server.files[b"/honest"] != content:
            raise Finding("an upload went wrong")
        size = await client.ask("SIZE /honest-ten")
        if size.text != "213 10":
            raise Finding(f"SIZE was answered {size.text!r}")

    async def _settle(self) -> None:
        """Everybody has left: nothing may be left of them."""
        for name in set(self._server.files) - set(FILES):
            del self._server.files[name]
        self._server.files.update(BAIT)
        self._server.verbs.clear()
        self._server.visits.clear()
        end = time.monotonic() + PATIENCE
        while self._weir.sessions():
            if time.monotonic() > end:
                raise Finding(f"{self._weir.sessions()} sessions are left of clients that are gone")
            await asyncio.sleep(0.05)
        if faults := self._weir.events("fault"):
            raise Finding(f"{faults[0]['error']}\n{faults[0]['trace']}")
        level = self._descriptors, self._memory
        self._level = self._level or level
        if level[0] > self._level[0] + MOST_DESCRIPTORS:
            raise Finding(f"{level[0]} descriptors are open, {self._level[0]} after one round")
        if level[1] > self._level[1] + MOST_GROWTH:
            raise Finding(f"{level[1]} bytes of memory, {self._level[1]} after one round")

    @property
    def _descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self._weir.pid}/fd"))

    @property
    def _memory(self) -> int:
        pages = Path(f"/proc/{self._weir.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def __str__(self) -> str:
        first = self._level or (0, 0)
        return (
            f"{self.rounds} rounds, {self.visitors} hostile clients, {self.deeds} honest deeds "
            f"(slowest {self.slowest:.1f} s), descriptors {first[0]} to {self._descriptors}, "
            f"memory {first[1] >> 20} to {self._memory >> 20} MiB"
        )


async def fuzz(seconds: float, seed: int) -> str:
    """Fuzz for so long; return what it came to, raise what was found."""
    async with scripted(FILES | BAIT) as server:
        Liar(server, HONEST.encode(), seed)
        weir = Ftpweir(
            server,
            upstream={"sessions": 12},
            budget={"enforce": "off"},
            timeouts=QUICK,
            queue={"max_wait": "20s"},
            refusals={"delay": "10ms"},
            login={"attempts": 1000, "delay": "0s"},
            heal={"uploads": "on"},
            log={"format": "json", "level": "error"},
        )
        await asyncio.to_thread(weir.start)
        try:
            arena = Arena(weir, server, seed)
            await arena.fight(seconds)
            return str(arena)
        finally:
            await asyncio.to_thread(weir.stop)


def main() -> None:
    """Print what it came to, or end with what was found."""
    seconds = float(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1, 1 << 31)
    sys.stderr.write(f"fuzzing the protocol for {seconds:g} s with seed {seed}\n")
    try:
        sys.stderr.write(asyncio.run(fuzz(seconds, seed)) + "\n")
    except BaseException as error:
        error.add_note(f"seed {seed}")
        raise


if __name__ == "__main__":
    main()
