"""The way to the store when it fails; with a real one behind it: tests/integration."""

from __future__ import annotations

import asyncio
from itertools import count
from pathlib import Path

import pytest

from proxy.store.engine import SCRIPT, Engine
from proxy.store.shared import Unreachable
from tests.support.redis import RedisServer


async def test_where_nobody_listens_the_store_is_unreachable(tmp_path: Path) -> None:
    engine = Engine(f"unix://{tmp_path}/nobody.sock")
    with pytest.raises(Unreachable):
        await engine.settle(["key"], ["me", 1, 1000])
    await engine.close()


async def test_a_call_is_cancelled_at_whatever_step_that_comes() -> None:
    with RedisServer() as redis:
        for steps in range(1, 25):
            engine = Engine(redis.url)
            asking = asyncio.get_running_loop().create_task(ask_for_ever(engine))
            for _ in range(steps):
                await asyncio.sleep(0)
            asking.cancel()
            await asyncio.wait({asking}, timeout=10)
            assert asking.cancelled(), f"after {steps} steps"
            await engine.close()


async def ask_for_ever(engine: Engine) -> None:
    for serial in count(1):
        await engine.settle(["key"], ["me", serial, 1000, 0, 1000, 1, 0, 0, 0, 1.0])


@pytest.mark.parametrize("words", ["", "hello", "\u00c1", "\x7f", "{}"])
async def test_what_a_stranger_has_written_among_ours_stops_nobody(words: str) -> None:
    """An empty one, several values in one, one that breaks off, a number, a table of another's."""
    with RedisServer() as redis:
        engine = Engine(redis.url)
        claim = [1000, 60_000, 1000, 5, 0, 0, 4, 1.0]
        await engine.settle(["key"], ["me", 1, *claim])
        redis.ask("HSET", "key", "me", words)
        redis.ask("HSET", "key", "you", words)
        (row,) = await engine.settle(["key"], ["me", 2, *claim])
        assert row[-1] == 2
        (row,) = await engine.settle(["key"], ["me", 3, *claim])
        assert row[-1] == 0
        await engine.close()


@pytest.mark.parametrize("answer", [b"", b"-ERR no\r\n", b":7\r\n", b"*1\r\n*1\r\n$1\r\nx\r\n"])
async def test_an_answer_that_cannot_be_used_is_none(tmp_path: Path, answer: bytes) -> None:
    path = tmp_path / "peer.sock"

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            writer.write(answer or b"+\r\n")
        writer.close()

    async with await asyncio.start_unix_server(peer, path):
        engine = Engine(f"unix://{path}")
        with pytest.raises(Unreachable):
            await engine.settle(["key"], ["me", 1, 1000])
        await engine.close()


async def test_who_never_answers_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "peer.sock"
    over = asyncio.Event()

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    async with asyncio.timeout(30), await asyncio.start_unix_server(peer, path):
        engine = Engine(f"unix://{path}")
        with pytest.raises(Unreachable):
            await engine.settle(["key"], ["me", 1, 1000])
        over.set()
        await engine.close()


def test_the_script_comes_with_the_package() -> None:
    assert "redis.call('TIME')" in SCRIPT
