"""The hatch, with a real worker's page behind it."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import AsyncIterator

import pytest

from proxy.ops.herald import Herald
from proxy.ops.page.hatch import Hatch, NoSign
from proxy.ops.station import Station
from tests.support.house import house
from tests.support.scripted import scripted


@contextlib.asynccontextmanager
async def looked_into(hatch: Hatch) -> AsyncIterator[None]:
    """Run a house that shows itself there."""
    async with (
        scripted() as server,
        house(server) as home,
        Station(Herald(log=home.events.append), hatch).opened(home.app) as place,
    ):
        assert place is None
        yield


async def test_who_knows_the_token_is_answered() -> None:
    hatch = Hatch.made()
    async with looked_into(hatch):
        assert json.loads(await hatch.ask("/api/status"))["phase"] == "serving"


async def test_a_wrong_token_opens_nothing() -> None:
    hatch = Hatch.made()
    stranger = Hatch(hatch.sock, "another")
    async with looked_into(hatch):
        with pytest.raises(NoSign, match="401"):
            await stranger.ask("/api/status")


async def test_nobody_behind_it_gives_no_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.ops.page.hatch.PATIENCE", 0.05)
    hatch = Hatch.made()
    with hatch.sock, pytest.raises(NoSign, match="timed out"):
        await hatch.ask("/healthz")
    with socket.socket(socket.AF_UNIX) as unbound, pytest.raises(NoSign):
        await Hatch(unbound).ask("/healthz")


def test_the_token_is_not_shown() -> None:
    hatch = Hatch.made()
    with hatch.sock:
        assert hatch.token not in repr(hatch)
        assert hatch.token != Hatch(hatch.sock).token
