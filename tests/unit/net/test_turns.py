from __future__ import annotations

import asyncio
from functools import partial

from proxy.net.turns import SPREAD, Turns


async def passes(turns: Turns, called: list[int], count: int) -> list[list[int]]:
    """Return who was called in each pass of the loop."""
    told = []
    for _ in range(count):
        before = len(called)
        await asyncio.sleep(0)
        told.append(called[before:])
    return told


async def test_each_pass_of_the_loop_gives_one_of_a_few_its_turn() -> None:
    turns, called = Turns(), list[int]()
    for number in range(3):
        turns.ask(asyncio.get_running_loop(), partial(called.append, number))
    assert [one for one in await passes(turns, called, 8) if one] == [[0], [1], [2]]


async def test_of_many_each_pass_serves_a_part() -> None:
    turns, called = Turns(), list[int]()
    for number in range(10 * SPREAD):
        turns.ask(asyncio.get_running_loop(), partial(called.append, number))
    told = [one for one in await passes(turns, called, 100) if one]
    assert told[0] == list(range(10))
    assert called == list(range(10 * SPREAD))
    assert all(len(later) <= len(earlier) for earlier, later in zip(told, told[1:], strict=False))


async def test_who_asks_again_in_its_turn_goes_to_the_end_of_the_line() -> None:
    turns, called, loop = Turns(), list[int](), asyncio.get_running_loop()

    def again() -> None:
        called.append(1)
        if called.count(1) < 3:
            turns.ask(loop, again)

    turns.ask(loop, again)
    turns.ask(loop, lambda: called.append(2))
    await passes(turns, called, 10)
    assert called == [1, 2, 1, 1]


async def test_one_that_fails_does_not_keep_the_others_from_their_turns() -> None:
    turns, called, loop = Turns(), list[int](), asyncio.get_running_loop()
    problems: list[object] = []
    loop.set_exception_handler(lambda _, told: problems.append(told))

    def fail() -> None:
        raise RuntimeError("a bug")

    turns.ask(loop, fail)
    turns.ask(loop, lambda: called.append(1))
    await passes(turns, called, 5)
    assert called == [1]
    assert len(problems) == 1


def test_what_was_asked_on_a_loop_that_is_over_is_forgotten() -> None:
    turns, called = Turns(), list[int]()

    async def ask(number: int, *, and_wait: bool) -> None:
        turns.ask(asyncio.get_running_loop(), lambda: called.append(number))
        if and_wait:
            await passes(turns, called, 3)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(ask(1, and_wait=False))
    loop.close()
    called.clear()
    asyncio.run(ask(2, and_wait=True))
    assert called == [2]
