from __future__ import annotations

import asyncio

import pytest

from proxy.net.throttle import Throttle
from proxy.shaping.bandwidth import DEPTH, LONGEST_GRANT
from tests.support.raw_client import patiently

RATE = 1_000_000
GRANT = int(RATE * LONGEST_GRANT)


class Clock:
    """Stands still unless a test moves it."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def until_called(calls: list[str], count: int, clock: Clock, *, step: float = 0.001) -> None:
    async with patiently():
        while len(calls) < count:
            clock.now += step
            await asyncio.sleep(0)


def drawn(throttle: Throttle, source: str, total: int) -> int:
    """Draw with one tap until it has to wait; return what came."""
    tap = throttle.tap(source, total)
    assert tap is not None
    count = 0
    while paid := tap.draw(lambda: None):
        count += paid
    tap.close()
    return count


async def test_who_is_not_limited_gets_no_tap_at_all() -> None:
    throttle = Throttle(None, Clock())
    assert throttle.tap("a", None) is None
    throttle.limit_total(RATE)
    assert throttle.tap("a", None) is not None


async def test_who_has_to_wait_is_called_when_its_bytes_are_earned() -> None:
    clock, calls = Clock(), list[str]()
    throttle = Throttle(None, clock)
    assert drawn(throttle, "a", RATE) == RATE * DEPTH
    tap = throttle.tap("a", RATE)
    assert tap is not None
    assert tap.draw(lambda: calls.append("turn")) == 0
    waiting = [tap.is_waiting]
    await until_called(calls, 1, clock)
    assert clock.now >= LONGEST_GRANT
    assert [*waiting, tap.is_waiting] == [True, False]
    assert tap.draw(lambda: None) == GRANT


async def test_what_is_given_back_can_be_drawn_again() -> None:
    throttle = Throttle(None, Clock())
    drawn(throttle, "a", RATE)
    tap = throttle.tap("a", RATE)
    assert tap is not None
    tap.give_back(GRANT)
    tap.give_back(0)
    assert tap.draw(lambda: None) == GRANT


async def test_nobody_is_called_after_closing() -> None:
    clock, calls = Clock(), list[str]()
    throttle = Throttle(RATE, clock)
    drawn(throttle, "a", RATE)
    gone, stays = throttle.tap("a", None), throttle.tap("b", None)
    assert gone is not None
    assert stays is not None
    gone.draw(lambda: calls.append("gone"))
    stays.draw(lambda: calls.append("stays"))
    gone.close()
    gone.close()
    await until_called(calls, 1, clock)
    assert calls == ["stays"]


async def test_who_can_be_served_earlier_is_not_kept_by_anothers_timer() -> None:
    clock, calls = Clock(), list[str]()
    throttle = Throttle(None, clock)
    drawn(throttle, "slow", 1)
    drawn(throttle, "fast", RATE)
    slow, fast = throttle.tap("slow", 1), throttle.tap("fast", RATE)
    assert slow is not None
    assert fast is not None
    slow.draw(lambda: calls.append("slow"))
    fast.draw(lambda: calls.append("fast"))
    clock.now = 2 * LONGEST_GRANT
    await until_called(calls, 1, clock, step=0.0)
    assert calls == ["fast"]
    slow.close()


async def test_one_that_fails_does_not_keep_the_others_waiting() -> None:
    clock, calls = Clock(), list[str]()
    throttle = Throttle(None, clock)
    problems: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: problems.append(told))
    for source in "ab":
        drawn(throttle, source, RATE)

    def fail() -> None:
        raise RuntimeError("a bug")

    for source, then in (("a", fail), ("b", lambda: calls.append("b"))):
        tap = throttle.tap(source, RATE)
        assert tap is not None
        assert tap.draw(then) == 0
    await until_called(calls, 1, clock)
    assert len(problems) == 1


@pytest.mark.parametrize("rate", [None, 2 * RATE])
async def test_the_total_holds_for_sources_with_and_without_a_rate(rate: int | None) -> None:
    throttle = Throttle(RATE, Clock())
    tap = throttle.tap("a", rate)
    assert tap is not None
    count = 0
    while paid := tap.draw(lambda: None):
        count += paid
    assert count == RATE * DEPTH
