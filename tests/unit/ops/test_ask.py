"""Asking a running proxy: what comes back, and what is said when nothing does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from loadtest.ports import free_port
from proxy.config import Config
from proxy.config.units import Misfit
from proxy.ops.ask import NoAnswer, StatusAddress
from tests.support.scripted import Scripted, scripted

from .looking import open_house

TOKEN = "a-token-of-some-length"


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted() as server:
        yield server


async def told(place: StatusAddress, section: str) -> object:
    return await asyncio.to_thread(place.ask, section)


async def test_a_section_comes_back_as_it_was_told(server: Scripted) -> None:
    async with open_house(server) as home:
        queue = await told(StatusAddress.written(home.status, None), "queue")
    assert isinstance(queue, dict)
    assert queue["length"] == 0


async def test_the_token_is_shown_where_one_is_wanted(server: Scripted) -> None:
    async with open_house(server, status={"address": "127.0.0.1:0", "token": TOKEN}) as home:
        assert await told(StatusAddress.written(home.status, TOKEN), "queue")
        with pytest.raises(NoAnswer, match="wants a token"):
            await told(StatusAddress.written(home.status, None), "queue")


def test_a_token_read_from_a_file_has_its_line_feed_forgiven() -> None:
    assert StatusAddress.written("127.0.0.1:1", f"{TOKEN}\n").token == TOKEN
    assert StatusAddress.written("127.0.0.1:1", "").token is None


@pytest.mark.parametrize(
    "token", ["short", f"{TOKEN}\nX-Other: 1", "m\u00fcller-und-schulze-token"]
)
def test_what_can_be_no_token_is_told_and_not_repeated(token: str) -> None:
    with pytest.raises(Misfit) as told:
        StatusAddress.written("127.0.0.1:1", token)
    assert "expected a token" in str(told.value)
    assert token not in str(told.value)


async def test_what_is_no_answer_is_told_as_one(server: Scripted) -> None:
    async with open_house(server) as home:
        with pytest.raises(NoAnswer, match="answers with 404: is this ftpweir's address"):
            await told(StatusAddress.written(home.status, None), "nothing")
        with pytest.raises(NoAnswer, match=r"\(BadStatusLine\): is ftpweir running"):
            await told(StatusAddress.written(f"127.0.0.1:{home.port}", None), "queue")
        with pytest.raises(NoAnswer, match=r"\(Connection refused\)"):
            await told(StatusAddress.written(f"127.0.0.1:{free_port()}", None), "queue")


def config(status: object) -> Config:
    return Config.model_validate({"upstream": {"host": "a"}, "status": status})


def test_the_address_is_that_of_the_configuration() -> None:
    place = StatusAddress.of(config({"address": "192.0.2.1:9000", "token": TOKEN}))
    assert (str(place.address), place.token) == ("192.0.2.1:9000", TOKEN)
    assert TOKEN not in repr(place)


@pytest.mark.parametrize(("bound", "asked"), [("0.0.0.0", "127.0.0.1"), ("[::]", "[::1]")])
def test_who_listens_everywhere_is_asked_on_this_machine(bound: str, asked: str) -> None:
    place = StatusAddress.of(config({"address": f"{bound}:9000", "token": TOKEN}))
    assert str(place.address) == f"{asked}:9000"


def test_who_serves_no_status_cannot_be_asked() -> None:
    with pytest.raises(NoAnswer, match="`status` is none"):
        StatusAddress.of(config("none"))
