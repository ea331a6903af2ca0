"""What `--workers` refuses before any process is begun; with real ones: tests/integration."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from proxy.cli import main

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
