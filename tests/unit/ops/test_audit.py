from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from proxy.events import (
    Changed,
    Event,
    Fault,
    LoggedIn,
    Pinned,
)
from proxy.ops.audit import Audit, CannotWrite, audit_line, xferlog_line

from . import examples

DOWNLOAD = replace(
    examples.TRANSFER,
    session="7f3a",
    client_class="nightly",
    path="/pub/a file.bin",
    moved=12,
    data=2.0,
    queue=1.0,
)
NOON = datetime(2026, 11, 21, 12, 0, 0).timestamp()


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_who_did_what_with_what_result_is_one_line() -> None:
    told = json.loads(audit_line(DOWNLOAD, "transfer", NOON))
    assert told["deed"] == "transfer"
    assert (told["source"], told["user"], told["session"]) == ("192.0.2.7", "alice", "7f3a")
    assert (told["path"], told["moved"], told["result"]) == ("/pub/a file.bin", 12, "done")


def test_only_deeds_are_written(tmp_path: Path) -> None:
    trail = tmp_path / "audit.json"
    audit = Audit(lambda _: None, str(trail), None)
    told: list[Event] = [
        LoggedIn("7f3a", "192.0.2.7", "alice", "nightly"),
        Pinned("7f3a", 3, "SITE UMASK"),
        Changed("7f3a", "192.0.2.7", "alice", "nightly", "DELE", "/a", 250),
        DOWNLOAD,
    ]
    for event in told:
        audit(event)
    assert [line["deed"] for line in lines(trail)] == ["login", "change", "transfer"]


def test_a_name_cannot_forge_a_line(tmp_path: Path) -> None:
    trail = tmp_path / "audit.json"
    audit = Audit(lambda _: None, str(trail), str(tmp_path / "xferlog"))
    audit(replace(DOWNLOAD, path='a\n{"deed": "login"}', user="b\r\nc \x1b[2J"))
    assert len(lines(trail)) == 1
    (line,) = (tmp_path / "xferlog").read_text().splitlines()
    assert len(line.split(" ")) == 18
    assert "\x1b" not in line


def test_a_rotated_file_is_begun_anew(tmp_path: Path) -> None:
    trail = tmp_path / "audit.json"
    audit = Audit(lambda _: None, str(trail), None)
    audit(DOWNLOAD)
    trail.rename(tmp_path / "audit.json.1")
    audit(DOWNLOAD)
    assert len(lines(trail)) == len(lines(tmp_path / "audit.json.1")) == 1


def test_a_trail_that_breaks_is_told_once_and_stops_nobody(tmp_path: Path) -> None:
    heard: list[Event] = []
    folder = tmp_path / "logs"
    folder.mkdir()
    audit = Audit(heard.append, str(folder / "audit.json"), None)
    (folder / "audit.json").unlink()
    folder.rmdir()
    audit(DOWNLOAD)
    audit(DOWNLOAD)
    assert [type(event) for event in heard] == [Fault]
    folder.mkdir()
    audit(DOWNLOAD)
    assert len(lines(folder / "audit.json")) == 1


@pytest.mark.timeout(20)
def test_a_trail_into_a_pipe_that_nobody_reads_is_a_clear_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CannotWrite, match=r"log\.audit: cannot write .*: No such device"):
        Audit(lambda _: None, str(tmp_path / "pipe"), None)


def test_a_trail_that_cannot_begin_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match=r"log\.audit: cannot write .*: No such file"):
        Audit(lambda _: None, str(tmp_path / "none" / "audit.json"), None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "3 192.0.2.7 12 /pub/a_file.bin b _ o r alice ftp 0 * c"),
        (
            {"kind": "upload", "result": "stalled"},
            "3 192.0.2.7 12 /pub/a_file.bin b _ i r alice ftp 0 * i",
        ),
        ({"is_ascii": True}, "3 192.0.2.7 12 /pub/a_file.bin a _ o r alice ftp 0 * c"),
    ],
)
def test_xferlog_is_as_wu_ftpd_writes_it(changes: dict[str, object], expected: str) -> None:
    line = xferlog_line(replace(DOWNLOAD, **changes), NOON)  # type: ignore[arg-type]
    assert line == f"Sat Nov 21 12:00:00 2026 {expected}"


def test_a_listing_has_no_line_in_xferlog() -> None:
    assert xferlog_line(replace(DOWNLOAD, kind="listing"), NOON) is None
