"""A child's voice, heard over a real pair of sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from proxy.events import Reloaded, ReloadRefused
from proxy.phase import Phase
from proxy.workers.message import LONGEST, Word, message, outcome_in
from proxy.workers.voice import UNHEARD, Agree, Voice

CAN = Reloaded(("queue.max_wait",), ())
REFUSED = ReloadRefused(("worker 2: cannot listen",))


@dataclass
class Scene:
    """A voice that listens; the parent's end of its line; the reloads that were begun."""

    voice: Voice
    parent: socket.socket
    begun: asyncio.Queue[Agree]

    async def heard(self) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self.parent, LONGEST)

    async def judged(self, reload: int) -> asyncio.Task[object]:
        """Have it judge; return the task that waits for what becomes of it."""
        self.parent.send(message(Word.JUDGE, reload))
        agree = await self.begun.get()

        async def agreed() -> object:
            return await agree(CAN)

        task = asyncio.get_running_loop().create_task(agreed())
        assert await self.heard() == message(Word.JUDGED, reload, CAN)
        return task


@contextlib.asynccontextmanager
async def listening() -> AsyncIterator[Scene]:
    parent, child = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    parent.setblocking(False)
    with parent, child:
        scene = Scene(Voice(child), parent, asyncio.Queue())
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(scene.voice.listen(scene.begun.put_nowait))
            yield scene
            task.cancel()


async def test_it_tells_when_it_serves_and_nothing_of_other_phases() -> None:
    async with listening() as scene:
        for phase in (Phase.STARTING, Phase.RELOADING, Phase.SERVING):
            scene.voice.entered(phase)
        scene.voice.drain()
        assert [await scene.heard(), await scene.heard()] == [
            message(Word.SERVES),
            message(Word.DRAIN),
        ]


async def test_it_gives_signs_of_life_only_while_it_is_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("proxy.workers.voice.BEAT", 0.0)
    well = iter([False, True])
    async with listening() as scene, asyncio.TaskGroup() as tasks:
        task = tasks.create_task(scene.voice.keep_told(lambda: next(well, False), str))
        assert await scene.heard() == message(Word.SOUND)
        task.cancel()


async def test_what_it_can_do_is_done_only_if_all_can() -> None:
    async with listening() as scene:
        agreed = await scene.judged(1)
        scene.parent.send(message(Word.DECIDED, 1, CAN))
        assert await agreed == CAN
        agreed = await scene.judged(2)
        scene.parent.send(message(Word.DECIDED, 2, REFUSED))
        assert await agreed == REFUSED


async def test_a_decision_before_it_has_judged_is_kept_for_that_reload() -> None:
    async with listening() as scene:
        for reload in (1, 2):
            scene.parent.send(message(Word.JUDGE, reload))
            if reload == 1:
                scene.parent.send(message(Word.DECIDED, reload, REFUSED))
        late, next_one = await scene.begun.get(), await scene.begun.get()
        assert await late(CAN) == REFUSED
        scene.parent.send(message(Word.DECIDED, 2, CAN))
        assert await next_one(CAN) == CAN


async def test_who_asks_for_a_reload_hears_what_has_become_of_it() -> None:
    async with listening() as scene, asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(scene.voice.reload())
        assert await scene.heard() == message(Word.RELOAD)
        scene.parent.send(message(Word.DECIDED, 1, REFUSED))
        assert await asking == REFUSED


async def test_nobody_waits_for_the_word_of_a_parent_that_has_died() -> None:
    async with listening() as scene:
        agreed = await scene.judged(1)
        scene.parent.close()
        assert await agreed == UNHEARD
        scene.voice.say(Word.SOUND)


async def test_a_decision_that_nobody_waits_for_changes_nothing() -> None:
    async with listening() as scene:
        scene.parent.send(message(Word.DECIDED, 1, CAN))
        agreed = await scene.judged(2)
        scene.parent.send(message(Word.DECIDED, 2, REFUSED))
        assert await agreed == REFUSED
        assert outcome_in(message(Word.DECIDED, 2, REFUSED)) == REFUSED
