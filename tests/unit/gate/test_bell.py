from __future__ import annotations

import asyncio

from proxy.gate.bell import Bell
from tests.support.raw_client import patiently


class Tower:
    """A bell, on the loop's own clock, and how often it has rung."""

    def __init__(self) -> None:
        self.clock = asyncio.get_running_loop().time
        self.bell = Bell(self.clock, self._rings)
        self.rung: list[float] = []
        self._heard = asyncio.Event()

    async def until_rung(self) -> float:
        async with patiently():
            await self._heard.wait()
        self._heard.clear()
        return self.rung[-1]

    def _rings(self) -> None:
        self.rung.append(self.clock())
        self._heard.set()


async def test_it_rings_once_at_the_earliest_moment() -> None:
    tower = Tower()
    now = tower.clock()
    for wait in (60.0, 0.01, 30.0):
        tower.bell.at(now + wait)
    assert await tower.until_rung() >= now + 0.01
    assert len(tower.rung) == 1
    assert not tower.bell.is_set


async def test_a_moment_that_is_over_rings_at_once_and_none_never() -> None:
    tower, will_ring = Tower(), []
    for moment in (None, tower.clock() - 5.0):
        tower.bell.at(moment)
        will_ring.append(tower.bell.is_set)
    assert will_ring == [False, True]
    await tower.until_rung()
