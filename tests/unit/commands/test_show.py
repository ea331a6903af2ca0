"""`ftpweir show` and `top`: arguments in, words and exit codes out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result

from loadtest.ports import free_port
from proxy.cli import main
from proxy.ops.tables import SECTIONS
from tests.support.house import House
from tests.support.scripted import scripted
from tests.unit.ops.looking import open_house

TOKEN = "a-token-of-some-length"


@pytest.fixture
async def home() -> AsyncIterator[House]:
    status = {"address": f"127.0.0.1:{free_port()}", "token": TOKEN}
    async with scripted() as server, open_house(server, status=status) as home:
        yield home


async def invoke(*arguments: str | Path, token: str = TOKEN, charset: str = "utf-8") -> Result:
    def run() -> Result:
        return CliRunner(charset=charset).invoke(
            main, [str(argument) for argument in arguments], env={"FTPWEIR_TOKEN": token}
        )

    return await asyncio.to_thread(run)


@pytest.mark.parametrize("what", SECTIONS)
async def test_each_section_is_shown_as_a_table_and_as_json(home: House, what: str) -> None:
    async with home.guest():
        shown = await invoke("show", what, "--status", home.status)
        told = await invoke("show", what, "--status", home.status, "--json")
    assert (shown.exit_code, told.exit_code) == (0, 0), shown.output
    assert shown.output.strip()
    assert isinstance(json.loads(told.output), dict)


async def test_the_file_says_whom_to_ask_and_with_which_token(home: House, tmp_path: Path) -> None:
    file = tmp_path / "ftpweir.yaml"
    file.write_text(f"upstream: {{host: a}}\nstatus: {{address: {home.status}, token: {TOKEN}}}\n")
    shown = await invoke("show", "config", "-c", file, token="")
    assert shown.exit_code == 0, shown.output
    assert "status.token" in shown.output
    assert TOKEN not in shown.output


@pytest.mark.parametrize("command", ["show budget", "top"])
async def test_a_terminal_that_lacks_a_character_is_no_reason_to_fail(
    home: House, command: str
) -> None:
    async with home.guest() as client:
        await client.ask("PWD")
        shown = await invoke(*command.split(), "--status", home.status, charset="ascii")
    assert shown.exit_code == 0, shown.output
    assert " of 100" in shown.output


async def test_top_takes_one_look_where_there_is_no_terminal(home: House) -> None:
    shown = await invoke("top", "--status", home.status)
    assert shown.exit_code == 0
    assert "serving" in shown.output


@pytest.mark.parametrize("command", [("show", "queue"), ("top",)])
async def test_where_nobody_answers_it_says_so(command: tuple[str, ...]) -> None:
    result = await invoke(*command, "--status", f"127.0.0.1:{free_port()}")
    assert result.exit_code == 1
    assert result.stderr.startswith("no answer from 127.0.0.1:")


def test_the_shell_can_complete_what_there_is_to_show() -> None:
    shell = ShellComplete(main, {}, "ftpweir", "_FTPWEIR_COMPLETE")
    assert [one.value for one in shell.get_completions(["show"], "q")] == ["queue"]
    assert {"show", "top", "doctor"} <= {one.value for one in shell.get_completions([], "")}


async def test_a_wrong_address_is_bad_usage() -> None:
    assert (await invoke("show", "queue", "--status", "nonsense")).exit_code == 2
