"""The health check at the command line: where it asks, and its exit code."""

from __future__ import annotations

import asyncio
from pathlib import Path

from click.testing import CliRunner, Result

from loadtest.ports import free_port
from proxy.cli import main
from tests.support.house import House, house
from tests.support.scripted import scripted

GREETED = (0, "220 ftpweir is ready.\n")


async def check(*arguments: str | Path) -> Result:
    command = ["healthcheck", *map(str, arguments)]
    return await asyncio.to_thread(CliRunner().invoke, main, command)


def file_of(folder: Path, listen: str) -> Path:
    file = folder / "ftpweir.yaml"
    file.write_text(f"listen: {listen}\nupstream: {{host: 127.0.0.1}}\n")
    return file


def place_of(home: House) -> str:
    return f"127.0.0.1:{home.port}"


async def test_a_running_proxy_is_healthy(tmp_path: Path) -> None:
    async with scripted() as server, house(server) as home:
        by_place = await check("--at", place_of(home))
        by_file = await check("-c", file_of(tmp_path, f"0.0.0.0:{home.port}"))
    for result in (by_place, by_file):
        assert (result.exit_code, result.output) == GREETED


async def test_nobody_there_is_not_healthy(tmp_path: Path) -> None:
    port = free_port()
    result = await check("-c", file_of(tmp_path, f"0.0.0.0:{port}"))
    assert result.exit_code == 1
    assert result.stderr == f"127.0.0.1:{port}: Connection refused\n"


async def test_an_address_that_is_none_is_bad_usage() -> None:
    assert (await check("--at", "2121")).exit_code == 2


async def test_a_proxy_that_believes_this_machine_gets_a_balancers_header_first(
    tmp_path: Path,
) -> None:
    listen = {"address": "127.0.0.1:0", "proxy_protocol": "on", "trusted": ["127.0.0.1"]}
    async with scripted() as server, house(server, listen=[listen]) as home:
        address = f"address: {place_of(home)}"
        told = f"[{{{address}, proxy_protocol: on, trusted: 127.0.0.1}}]"
        result = await check("-c", file_of(tmp_path, told))
    assert (result.exit_code, result.output) == GREETED
