"""Lines of the log as real syslog daemons read them with the files of config/logging."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from proxy.events import Event, Refused, Reloaded
from proxy.ops.logs import EventLog
from proxy.ops.outlet import Outlet
from tests.support.programs import CHECKOUT, SERVERS, program, server_program
from tests.support.waiting import until

LOGGING = CHECKOUT / "config" / "logging"
REFUSED = Refused(
    session="7f3a21",
    source="192.0.2.7",
    user='al"ice\\',
    client_class="nightly",
    reason="class_sessions",
    code=421,
    sentence="Too many connections.",
    ref="ab12cd",
)
RELOADED = Reloaded(changed=("queue.max_wait", "clients"), warnings=())

pytestmark = pytest.mark.integration


def line(event: Event) -> str:
    """What ftpweir writes of it."""
    with tempfile.TemporaryFile() as written:
        EventLog("json", "info", Outlet(written.fileno()))(event)
        written.seek(0)
        return written.read().decode().rstrip("\n")


def rsyslog(folder: Path) -> tuple[list[str], dict[str, str]]:
    (folder / "main.conf").write_text(
        'module(load="imuxsock" SysSock.Use="off")\n'
        f'input(type="imuxsock" Socket="{folder}/in")\n'
        f'include(file="{folder}/rsyslog.conf")\n'
    )
    return [program("rsyslogd"), "-n", "-f", f"{folder}/main.conf", "-i", f"{folder}/pid"], {}


def syslog_ng(folder: Path) -> tuple[list[str], dict[str, str]]:
    (folder / "main.conf").write_text(
        f'@version: 3.38\nsource s_src {{ unix-dgram("{folder}/in"); }};\n'
        f'@include "{folder}/syslog-ng.conf"\n'
    )
    libraries = SERVERS / "usr" / "lib" / "syslog-ng"
    command = [server_program("usr/sbin/syslog-ng"), "-F", "--no-caps", "-f", f"{folder}/main.conf"]
    command += ["--module-path", str(next(libraries.glob("[0-9]*"))), "-R", f"{folder}/persist"]
    command += ["-p", f"{folder}/pid", "-c", f"{folder}/control"]
    return command, {"LD_LIBRARY_PATH": str(libraries)}


DAEMONS = {"rsyslog": rsyslog, "syslog-ng": syslog_ng}


@pytest.fixture(params=DAEMONS)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Run the daemon; yield where its files are."""
    start: Callable[[Path], tuple[list[str], dict[str, str]]] = DAEMONS[request.param]
    shipped = (LOGGING / f"{request.param}.conf").read_text()
    ours = shipped.replace("/var/log/ftpweir", str(tmp_path))
    (tmp_path / f"{request.param}.conf").write_text(ours)
    command, more = start(tmp_path)
    with (
        (tmp_path / "output").open("wb") as output,
        subprocess.Popen(command, env=os.environ | more, stdout=output, stderr=output) as daemon,
    ):
        try:
            until(lambda: (tmp_path / "in").exists(), f"{request.param} listens")
            yield tmp_path
        finally:
            daemon.terminate()


def log(folder: Path, *lines: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.connect(str(folder / "in"))
        for one in lines:
            sock.send(f"<30>Nov 21 10:22:35 ftpweir[77]: {one}".encode())


def lines(file: Path, count: int) -> list[str]:
    """Return the lines of the file once so many are there as a whole."""

    def are_there() -> bool:
        return file.exists() and file.read_text().count("\n") >= count

    until(are_there, f"{count} lines are in {file.name}")
    return file.read_text().splitlines()


def events(folder: Path, count: int) -> list[dict[str, Any]]:
    """Return the events in the file once there are so many."""
    return [json.loads(one)["ftpweir"] for one in lines(folder / "events.json", count)]


def test_each_event_becomes_fields_and_what_is_none_is_left_to_others(folder: Path) -> None:
    log(folder, line(RELOADED), "ready: listening on 127.0.0.1:2121", line(REFUSED))
    reloaded, refused = events(folder, 2)
    assert reloaded["event"] == "reloaded"
    told = {name: refused[name] for name in ("event", "source", "user", "ref", "level")}
    assert told == {
        "event": "refused",
        "source": "192.0.2.7",
        "user": 'al"ice\\',
        "ref": "ab12cd",
        "level": "warning",
    }


def test_what_needs_attention_is_told_to_people(folder: Path) -> None:
    log(folder, line(RELOADED), line(REFUSED))
    events(folder, 2)
    (told,) = lines(folder / "trouble.log", 1)
    assert "warning refused class_sessions source=192.0.2.7" in told
    assert told.endswith("ref=ab12cd")
