"""What `--workers` refuses before any process is begun; with real ones: tests/integration."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from proxy.cli import main
from proxy.commands.fleet import Crew
from proxy.config import Config, load
from proxy.events import Reloaded, ReloadRefused

STORE = "store: unix:///nobody.sock\n"


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["run", *map(str, arguments), "--workers", "2"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "--workers needs a 'store'"),
        (STORE + "listen: 127.0.0.1:0\n", "--workers needs a fixed port"),
    ],
)
def test_what_several_processes_cannot_share_is_refused(
    tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "weir.yaml"
    path.write_text(f"upstream: {{host: ftp.example.com}}\n{text}")
    result = invoke("-c", path)
    assert result.exit_code == 2
    assert words in result.output


def test_workers_go_with_a_file() -> None:
    result = invoke("--upstream", "ftp.example.com")
    assert result.exit_code == 2
    assert "--workers goes with -c FILE" in result.output


def test_a_worker_that_is_started_again_begins_with_what_the_others_go_on_by(
    tmp_path: Path,
) -> None:
    path = tmp_path / "weir.yaml"
    path.write_text("upstream: {host: ftp.example.com}\n")
    crew = Crew(path, load(path), [], lambda serving: None)
    for text, outcome, host in (
        ("upstream: {host: other.example.com}", ReloadRefused(("no",)), "ftp.example.com"),
        ("upstream: {host: other.example.com}", Reloaded((), ()), "other.example.com"),
        ("upstream: {}", ReloadRefused(("upstream.host is missing",)), "other.example.com"),
    ):
        path.write_text(text)
        crew.reread()
        path.write_text("what is written after that is for the next reload")
        crew.decided(outcome)
        assert crew._config.upstream.host == host


def test_the_service_manager_hears_of_a_reload(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "weir.yaml"
    path.write_text("upstream: {host: ftp.example.com}\n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        crew = Crew(path, load(path), [], lambda serving: None)
        crew.reread()
        assert manager.recv(4096).startswith(b"RELOADING=1")
        crew.decided(ReloadRefused(("no",)))
        assert manager.recv(4096).startswith(b"READY=1")


def test_the_watchdog_is_fed_in_its_own_pace_and_only_while_all_are_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "30000000")
        monkeypatch.delenv("WATCHDOG_PID", raising=False)
        config = Config.model_validate({"upstream": {"host": "ftp.example.com"}})

        def heard(is_sound: bool) -> list[str]:
            crew = Crew(tmp_path / "weir.yaml", config, [], lambda serving: None)
            for _ in range(3):
                crew.look(is_sound, "serving")
            return manager.recv(4096).decode().splitlines()

        assert heard(True) == ["STATUS=serving", "WATCHDOG=1"]
        assert heard(False) == ["STATUS=serving"]
        manager.setblocking(False)
        with pytest.raises(BlockingIOError):
            manager.recv(4096)
