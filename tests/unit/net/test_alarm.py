from __future__ import annotations

import asyncio

from proxy.net.alarm import AGAIN, LATE, Alarm
from tests.support.raw_client import patiently


async def test_it_rings_once_its_time_has_come() -> None:
    rung = asyncio.Event()
    alarm = Alarm(rung.set)
    alarm.set(0.001)
    async with patiently():
        await rung.wait()


async def test_cleared_or_stopped_it_does_not_ring() -> None:
    rung: list[str] = []
    cleared, stopped = Alarm(lambda: rung.append("cleared")), Alarm(lambda: rung.append("stopped"))
    other = asyncio.Event()
    for alarm in (cleared, stopped):
        alarm.set(0.001)
    cleared.clear()
    stopped.stop()
    Alarm(other.set).set(0.02)
    async with patiently():
        await other.wait()
    assert rung == []


async def test_only_the_latest_deadline_counts_be_it_later_or_earlier() -> None:
    order: list[str] = []
    done = asyncio.Event()

    def ring_late() -> None:
        order.append("set later")
        done.set()

    later = Alarm(ring_late)
    later.set(0.001)
    later.set(0.05)
    earlier = Alarm(lambda: order.append("set earlier"))
    earlier.set(10.0)
    earlier.set(0.01)
    async with patiently():
        await done.wait()
    assert order == ["set earlier", "set later"]


async def test_what_came_while_we_stood_still_is_read_before_it_rings() -> None:
    order: list[str] = []
    done = asyncio.Event()

    def ring() -> None:
        order.append("rung")
        done.set()

    Alarm(ring).set(-2 * LATE)
    asyncio.get_running_loop().call_later(AGAIN / 2, order.append, "read")
    async with patiently():
        await done.wait()
    assert order == ["read", "rung"]
