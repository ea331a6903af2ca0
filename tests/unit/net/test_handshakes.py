from __future__ import annotations

import asyncio

from proxy.net.handshakes import Handshakes


async def test_one_goes_on_at_once_and_the_others_one_in_each_pass_of_the_loop() -> None:
    handshakes, loop, done = Handshakes(), asyncio.get_running_loop(), []
    at_once = [handshakes.go_on(loop, lambda one=one: done.append(one)) for one in "abc"]  # type: ignore[misc]
    assert at_once == [True, False, False]
    assert done == ["a"]
    await asyncio.sleep(0)
    assert done == ["a", "b"]
    await asyncio.sleep(0)
    assert done == ["a", "b", "c"]
    await asyncio.sleep(0)
    assert handshakes.go_on(loop, lambda: done.append("d"))
    assert done == ["a", "b", "c", "d"]


async def test_whoever_waits_is_passed_over_by_nobody() -> None:
    handshakes, loop, done = Handshakes(), asyncio.get_running_loop(), []
    handshakes.go_on(loop, lambda: done.append("a"))
    handshakes.go_on(loop, lambda: done.append("b"))
    await asyncio.sleep(0)
    assert not handshakes.go_on(loop, lambda: done.append("c"))
    await asyncio.sleep(0)
    assert done == ["a", "b", "c"]


def test_a_loop_that_is_over_leaves_nothing_behind() -> None:
    handshakes = Handshakes()

    async def leave_one_waiting() -> None:
        for _ in range(2):
            handshakes.go_on(asyncio.get_running_loop(), lambda: None)

    async def is_served() -> bool:
        return handshakes.go_on(asyncio.get_running_loop(), lambda: None)

    asyncio.run(leave_one_waiting())
    assert asyncio.run(is_served())
