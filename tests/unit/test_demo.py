"""The demo server: a limited server with a few files, gone without a trace."""

from __future__ import annotations

import ftplib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.demo import PASSWORD, SESSIONS, USER, demo_server

# pyftpdlib uses two modules of the standard library that Python 3.12 has removed.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with demo_server() as place:
        yield place


def visitor(place: tuple[str, int]) -> ftplib.FTP:
    ftp = ftplib.FTP(timeout=10)
    ftp.connect(*place)
    ftp.login(USER, PASSWORD)
    return ftp


def test_it_serves_a_few_files_on_loopback(place: tuple[str, int]) -> None:
    assert place[0] == "127.0.0.1"
    with visitor(place) as ftp:
        assert set(ftp.nlst()) == {"README.txt", "data", "incoming"}
        lines: list[str] = []
        ftp.retrlines("RETR data/small.txt", lines.append)
        assert lines == ["A small file."]


def test_files_can_be_brought(place: tuple[str, int]) -> None:
    with visitor(place) as ftp:
        ftp.storbinary("STOR incoming/new.bin", io.BytesIO(b"\0\1\2"))
        assert ftp.size("incoming/new.bin") == 3


def test_it_refuses_one_session_too_many(place: tuple[str, int]) -> None:
    visitors = [visitor(place) for _ in range(SESSIONS)]
    with ftplib.FTP(timeout=10) as one_more, pytest.raises(ftplib.error_temp, match="421"):
        one_more.connect(*place)
    for ftp in visitors:
        ftp.quit()


def test_it_knows_nobody_else(place: tuple[str, int]) -> None:
    with ftplib.FTP(timeout=10) as ftp:
        ftp.connect(*place)
        with pytest.raises(ftplib.error_perm, match="530"):
            ftp.login("root", "toor")


def test_afterwards_nothing_of_it_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with demo_server() as place, visitor(place) as ftp:
        ftp.nlst()
        assert list(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())
    with pytest.raises(ConnectionRefusedError):
        visitor(place)


def test_it_does_not_write_into_our_log(
    place: tuple[str, int], capfd: pytest.CaptureFixture[str]
) -> None:
    visitor(place).quit()
    assert capfd.readouterr() == ("", "")
