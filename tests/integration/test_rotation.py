"""logrotate, as config/logging tells it to, on the files of a running proxy: no line is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from loadtest.ports import free_port
from tests.support.programs import CHECKOUT, program
from tests.support.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

ROTATION = CHECKOUT / "config" / "logging" / "logrotate.conf"
RUN = f"exec {sys.executable} -m proxy run -c ftpweir.yaml 2>>ftpweir.log"


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def folder(tmp_path: Path, port: int) -> Iterator[Path]:
    config = {
        "listen": f"127.0.0.1:{port}",
        "upstream": {"host": "127.0.0.1", "port": 1},  # nobody logs in
        "status": "none",
        "log": {"audit": str(tmp_path / "audit.jsonl"), "format": "json"},
    }
    (tmp_path / "ftpweir.yaml").write_text(yaml.safe_dump(config))
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    command = [program("sh"), "-c", RUN]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith(b"ready")
            yield tmp_path
        finally:
            process.terminate()


def visit(port: int, folder: Path, seen: int) -> None:
    """Say hello and goodbye; return once both files tell of it."""
    done = subprocess.run(
        [program("curl"), "-s", "-m", "10", f"telnet://127.0.0.1:{port}"],
        input=b"QUIT\r\n",
        check=False,
        capture_output=True,
    )
    assert b"221" in done.stdout
    until(lambda: len(goodbyes(folder / "ftpweir.log")) == seen, "the log tells of it")
    until(lambda: len(goodbyes(folder / "audit.jsonl")) == seen, "the audit trail tells of it")


def goodbyes(file: Path) -> list[dict[str, object]]:
    """Read a file of JSON lines, but for one that is still being written."""
    whole, _, _ = file.read_text().rpartition("\n") if file.exists() else ("", "", "")
    lines = [json.loads(line) for line in whole.splitlines()]
    return [one for one in lines if "session ended" in one.values() or "goodbye" in one.values()]


def test_what_logrotate_moves_or_empties_is_begun_anew(folder: Path, port: int) -> None:
    for seen in (1, 2, 3):
        visit(port, folder, seen)
    shipped = ROTATION.read_text().replace("/var/lib/ftpweir", str(folder))
    rules = folder / "logrotate.conf"
    rules.write_text(shipped.replace("/var/log", str(folder)))
    rules.chmod(0o644)
    command = [program("logrotate"), "--force", "--state", str(folder / "rotated"), str(rules)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for seen in (1, 2):
        visit(port, folder, seen)
    assert len(goodbyes(folder / "ftpweir.log.1")) == 3
    assert len(goodbyes(folder / "audit.jsonl.1")) == 3
