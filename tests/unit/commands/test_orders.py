"""Orders at the command line: what is printed where, and the exit code."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from loadtest.ports import free_port
from proxy.cli import main
from proxy.events import Ordered
from proxy.phase import Phase
from tests.support.house import House, house
from tests.support.scripted import scripted

STATUS = {"address": "127.0.0.1:0"}
TOKEN = "a-token-of-some-length"


async def order(*arguments: str | Path) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, [str(one) for one in arguments])


def write_anew(home: House, **sections: Any) -> None:
    """Change what stands for the file, without having it read."""
    home._file.sections = {"status": STATUS, **sections}


async def test_a_reload_names_what_has_changed() -> None:
    async with scripted() as server, house(server, status=STATUS) as home:
        write_anew(home, queue={"max_wait": 7.0})
        result = await order("reload", "--status", home.status)
        assert (result.exit_code, result.output) == (0, "reloaded: queue.max_wait\n")
        assert home.gate.max_wait == 7.0
        assert home.told(Ordered) == [Ordered("reload", "127.0.0.1")]
        again = await order("reload", "--status", home.status)
        assert again.output == "reloaded: nothing differs\n"


async def test_a_refused_reload_tells_every_problem_and_exits_with_1(tmp_path: Path) -> None:
    async with scripted() as server, house(server, status=STATUS) as home:
        write_anew(home, state=str(tmp_path / "other"))
        result = await order("reload", "--status", home.status)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "state: only a restart can change this" in result.stderr


async def test_a_drain_begins_and_is_not_hurried_by_a_second_order() -> None:
    async with (
        scripted() as server,
        house(server, status=STATUS, timeouts={"drain_lag": 60.0}) as home,
    ):
        for _ in range(2):
            result = await order("drain", "--status", home.status)
            assert (result.exit_code, result.output) == (0, "draining\n")
        await home.until(lambda: home.app.phase is Phase.STOPPING)
        assert home.told(Ordered)[0] == Ordered("drain", "127.0.0.1")
        home.app.stop()


async def test_the_file_tells_where_and_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = {**STATUS, "token": TOKEN}
    file = tmp_path / "ftpweir.yaml"
    async with scripted() as server, house(server, status=locked) as home:
        home._file.sections = {"status": locked}
        stranger = await order("reload", "--status", home.status)
        assert stranger.exit_code == 1
        assert "wants a token" in stranger.stderr
        file.write_text(
            f"upstream: {{host: a}}\nstatus: {{address: {home.status}, token: {TOKEN}}}\n"
        )
        assert (await order("reload", "-c", file)).exit_code == 0
        monkeypatch.setenv("FTPWEIR_TOKEN", TOKEN)
        assert (await order("reload", "--status", home.status)).exit_code == 0


async def test_nobody_there_is_told_with_what_to_look_at() -> None:
    place = f"127.0.0.1:{free_port()}"
    result = await order("reload", "--status", place)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"no answer from {place} (Connection refused): is ftpweir")


async def test_without_a_status_address_nobody_can_be_told(tmp_path: Path) -> None:
    file = tmp_path / "ftpweir.yaml"
    file.write_text("upstream: {host: a}\nstatus: none\n")
    result = await order("drain", "-c", file)
    assert result.exit_code == 1
    assert "nobody can be asked" in result.stderr


async def test_an_address_that_is_none_is_bad_usage() -> None:
    assert (await order("drain", "--status", "8021")).exit_code == 2
