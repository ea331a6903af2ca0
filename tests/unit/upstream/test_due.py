from __future__ import annotations

import asyncio

import pytest

from proxy.ftp.reply import Reply
from proxy.upstream.due import Due, Lost, Silent, ends_transfer

DONE = Reply.of(226, "Done.")


async def test_a_reply_that_has_come_is_told_at_once() -> None:
    due = Due(5.0)
    due.settle(DONE)
    assert due.is_settled
    assert await due.final() == DONE


async def test_a_reply_that_is_still_to_come_is_waited_for() -> None:
    due = Due(5.0)
    assert not due.is_settled
    async with asyncio.TaskGroup() as tasks:
        first, second = (tasks.create_task(due.final()) for _ in range(2))
        await asyncio.sleep(0)
        due.settle(DONE)
    assert first.result() == second.result() == DONE


async def test_who_was_impatient_may_ask_again() -> None:
    due = Due(0.0)
    with pytest.raises(Silent, match="silent") as caught:
        await due.final()
    assert caught.value.words == "no reply within 0 s"
    due.settle(DONE)
    assert await due.final(1.0) == DONE


async def test_a_loss_is_raised() -> None:
    due = Due(5.0)
    due.settle(Lost("hung up", "Bye."))
    with pytest.raises(Lost) as caught:
        await due.final()
    assert caught.value.words == "Bye."


@pytest.mark.parametrize("code", [225, 226, 250, 425, 426, 451, 550])
def test_the_last_reply_of_a_transfer_is_known(code: int) -> None:
    assert ends_transfer(Reply.of(code, "."))


@pytest.mark.parametrize("code", [125, 150, 200, 227, 229, 350])
def test_an_answer_to_something_else_ends_no_transfer(code: int) -> None:
    assert not ends_transfer(Reply.of(code, "."))
