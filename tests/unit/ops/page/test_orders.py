"""Orders over HTTP: who may give them, what they answer, and that each is announced."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from proxy.events import Ordered
from tests.support.scripted import Scripted, scripted

from ..looking import get, open_house


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted() as server:
        yield server


@pytest.mark.parametrize("name", ["reload", "drain"])
async def test_an_order_that_a_foreign_page_could_give_is_not_obeyed(
    server: Scripted, name: str
) -> None:
    async with open_house(server) as home:
        answer = await get(home.status, f"/api/{name}", method="POST")
        assert answer.status == 403
        assert home.told(Ordered) == []
        assert home.app.phase.is_ready


async def test_a_reload_answers_with_what_has_changed(server: Scripted) -> None:
    async with open_house(server) as home:
        answer = await get(home.status, "/api/reload", method="POST", X_Ftpweir_Action="1")
        assert answer.status == 200
        assert json.loads(answer.text)["reloaded"] is True
        assert home.told(Ordered) == [Ordered("reload", "127.0.0.1")]


async def test_a_drain_is_only_begun(server: Scripted) -> None:
    async with open_house(server) as home:
        answer = await get(home.status, "/api/drain", method="POST", X_Ftpweir_Action="1")
        assert (answer.status, json.loads(answer.text)) == (202, {"draining": True})
