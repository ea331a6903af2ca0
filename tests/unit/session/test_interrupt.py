from __future__ import annotations

import asyncio

import pytest

from proxy.session.interrupt import Interruptible


async def stay(step: Interruptible, began: asyncio.Event) -> str:
    with step:
        began.set()
        await asyncio.Event().wait()
    return "interrupted" if step.was_interrupted else "done"


async def test_an_interrupt_ends_the_block_and_not_the_task() -> None:
    step, began = Interruptible(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        staying = tasks.create_task(stay(step, began))
        await began.wait()
        step.interrupt()
        step.interrupt()
        assert await staying == "interrupted"


async def test_without_an_interrupt_nothing_happens() -> None:
    step = Interruptible()
    step.interrupt()
    with step:
        await asyncio.sleep(0)
    step.interrupt()
    assert not step.was_interrupted
    await asyncio.sleep(0)


async def test_a_step_may_be_used_again() -> None:
    step = Interruptible()
    for _ in range(3):
        began = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            staying = tasks.create_task(stay(step, began))
            await began.wait()
            step.interrupt()
            assert await staying == "interrupted"
    with step:
        await asyncio.sleep(0)
    assert not step.was_interrupted


async def test_somebody_elses_cancel_goes_through() -> None:
    step, began = Interruptible(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        staying = tasks.create_task(stay(step, began))
        await began.wait()
        staying.cancel()
    assert staying.cancelled()


async def test_a_cancel_on_top_of_an_interrupt_goes_through() -> None:
    step, began = Interruptible(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        staying = tasks.create_task(stay(step, began))
        await began.wait()
        step.interrupt()
        staying.cancel()
    assert staying.cancelled()


async def test_an_error_in_the_block_is_not_swallowed() -> None:
    step, began = Interruptible(), asyncio.Event()

    async def fails() -> None:
        with step:
            began.set()
            try:
                await asyncio.Event().wait()
            finally:
                raise LookupError("while leaving")

    async with asyncio.TaskGroup() as tasks:

        async def watch() -> None:
            with pytest.raises(LookupError):
                await fails()

        watching = tasks.create_task(watch())
        await began.wait()
        step.interrupt()
        await watching


async def test_a_timeout_inside_is_not_confused_with_an_interrupt() -> None:
    step = Interruptible()
    with step, pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await asyncio.Event().wait()
    assert not step.was_interrupted
