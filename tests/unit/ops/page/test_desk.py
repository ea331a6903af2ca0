"""The desk: one house, looked into through two hatches as if it were two workers."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from proxy.ops.herald import Herald
from proxy.ops.page.desk import Desk
from proxy.ops.page.hatch import Hatch
from proxy.ops.page.view import NoSight
from proxy.ops.station import Station
from tests.support.house import House, house
from tests.support.scripted import scripted


@dataclass
class Scene:
    """Two hatches of one house, and a desk before them."""

    home: House
    hatches: list[Hatch]

    def desk(self, *hatches: Hatch) -> Desk:
        return Desk(hatches or self.hatches, time.monotonic)


@pytest.fixture
async def scene(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    monkeypatch.setattr("proxy.ops.page.hatch.PATIENCE", 20.0)  # the machine may be busy
    hatches = [Hatch.made(), Hatch.made()]
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(scripted())
        home = await stack.enter_async_context(house(server))
        for hatch in hatches:
            station = Station(Herald(log=home.events.append), hatch)
            await stack.enter_async_context(station.opened(home.app))
        yield Scene(home, hatches)


async def test_it_sees_what_all_have_together(scene: Scene) -> None:
    async with scene.home.guest():
        desk = scene.desk()
        seen = await desk.snapshot()
        assert seen.sessions_total == 2
        assert [one.answers for one in seen.workers] == [True, True]
        page = (await desk.metrics()).decode()
        assert 'ftpweir_client_sessions{class="everyone"} 2.0' in page
        assert 'ftpweir_worker_up{worker="2"} 1.0' in page
        assert {one.limit for one in await desk.history()} == {100}
        values = {one.key: one.value for one in await desk.settings()}
        assert values["queue.max_wait"] == "40s"
        assert await desk.silent() == []


async def test_who_asks_soon_again_gets_the_same(scene: Scene) -> None:
    desk = scene.desk()
    assert await desk.snapshot() is await desk.snapshot()


async def test_one_that_does_not_answer_is_named_and_the_others_are_shown(scene: Scene) -> None:
    stranger = Hatch(scene.hatches[1].sock, "a wrong token is as good as silence")
    desk = scene.desk(scene.hatches[0], stranger)
    assert [one.answers for one in (await desk.snapshot()).workers] == [True, False]
    with pytest.raises(NoSight):
        await scene.desk(stranger).snapshot()
