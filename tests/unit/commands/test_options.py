"""What commands have in common."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.commands.options import load_config, place_of


def test_a_good_file_is_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text("upstream: {host: ftp.example.com}\n")
    assert load_config(tmp_path / "good.yaml").upstream.host == "ftp.example.com"


def test_every_problem_of_a_bad_file_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.yaml").write_text("upstream: {hots: a}\nqueue: {max_wait: 21:30}\n")
    with pytest.raises(SystemExit) as ended:
        load_config(tmp_path / "bad.yaml")
    assert ended.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) >= 2


def test_a_spoilt_file_does_not_keep_anybody_from_asking(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.yaml").write_text("upstream: {hots: a}\n")
    with pytest.raises(SystemExit) as ended:
        place_of(tmp_path / "bad.yaml", None)
    assert ended.value.code == 2
    assert "--status ADDR:PORT" in capsys.readouterr().err
    assert str(place_of(tmp_path / "bad.yaml", "127.0.0.1:9000").address) == "127.0.0.1:9000"
