"""The doctor at the command line: what it prints where, and its exit code."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from loadtest.ports import free_port
from proxy.cli import main
from tests.support.scripted import Scripted, scripted


@pytest.fixture(autouse=True)
def _a_home_without_netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NETRC", raising=False)
    monkeypatch.setenv("FTPWEIR_PASSWORD", "hush-hush")


async def run(server: Scripted, folder: Path, *arguments: str) -> Result:
    file = folder / "ftpweir.yaml"
    file.write_text(
        f"listen: 127.0.0.1:{free_port()}\nupstream: {{host: 127.0.0.1, port: {server.port}}}\n"
        f"state: {folder / 'state'}\nstatus: none\n"
    )
    command = ["doctor", "-c", str(file), *arguments]
    return await asyncio.to_thread(CliRunner().invoke, main, command)


async def test_a_person_sees_each_step_and_then_the_findings(tmp_path: Path) -> None:
    async with scripted() as server:
        result = await run(server, tmp_path, "--user", "alice")
    assert result.exit_code == 0
    assert "+ greeting  220 Scripted." in result.stdout
    assert "No problem was found." in result.stdout
    assert "hush-hush" not in result.output


async def test_another_server_is_examined_by_its_name(tmp_path: Path) -> None:
    async with scripted() as server:
        (file := tmp_path / "two.yaml").write_text(
            f"listen: 127.0.0.1:{free_port()}\nupstream: {{host: 192.0.2.1}}\nstatus: none\n"
            f"state: {tmp_path / 'state'}\nservers: [{{name: b, match: {{user: x}}, "
            f"upstream: {{host: 127.0.0.1, port: {server.port}}}}}]\n"
        )
        command = ["doctor", "-c", str(file), "--server"]
        result = await asyncio.to_thread(CliRunner().invoke, main, [*command, "b"])
        unknown = await asyncio.to_thread(CliRunner().invoke, main, [*command, "c"])
    assert "+ greeting  220 Scripted." in result.stdout
    assert unknown.exit_code == 2
    assert "there is no server 'c' in the file; it names b" in unknown.stderr


async def test_a_program_reads_json_alone(tmp_path: Path) -> None:
    async with scripted() as server:
        result = await run(server, tmp_path, "--user", "alice", "--json")
        port = server.port
    told = json.loads(result.stdout)
    assert told["server"] == f"127.0.0.1:{port}"
    assert told["healthy"] is True
    assert "greeting" in result.stderr


async def test_a_problem_is_exit_code_1(tmp_path: Path) -> None:
    async with scripted() as server:
        server.passwords[b"alice"] = b"another"
        result = await run(server, tmp_path, "--user", "alice")
    assert result.exit_code == 1
    assert "1. PROBLEM (login or permission, login_refused)" in result.stdout


async def test_without_a_password_it_is_bad_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FTPWEIR_PASSWORD")
    async with scripted() as server:
        result = await run(server, tmp_path, "--user", "alice")
        assert server.total == 0
    assert result.exit_code == 2
    assert "put it into FTPWEIR_PASSWORD" in result.stderr


def test_without_a_file_it_is_bad_usage() -> None:
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 2
    assert "give the file: ftpweir doctor -c FILE" in result.stderr


def test_its_help_teaches() -> None:
    told = CliRunner().invoke(main, ["doctor", "--help"]).stdout
    for word in ("FTPWEIR_PASSWORD", "Exit codes", "--write-test", "firewall counts"):
        assert word in told
