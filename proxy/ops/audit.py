"""The audit trail: who did what to which file, one line of JSON each, and xferlog for old tools.

Changes nothing. A file that log rotation moved away is begun anew.
No event holds a password, so no line does.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from time import time

from proxy import events
from proxy.events import Announce, Event, Fault, Result

_DEEDS = {
    events.LoggedIn: "login",
    events.LoginFailed: "login failed",
    events.TransferEnded: "transfer",
    events.Changed: "change",
    events.Forbidden: "forbidden",
    events.Refused: "refused",
    events.SessionEnded: "goodbye",
}
_DIRECTIONS = {"download": "o", "upload": "i"}  # outgoing and incoming, as the server sees it


class CannotWrite(Exception):
    """A file of the trail cannot be opened; the message says which and why."""


class Audit:
    """Writes the trail of the events it hears; `announce` is told when it cannot."""

    def __init__(self, announce: Announce, audit: str | None, xferlog: str | None) -> None:
        self._announce = announce
        self._audit = _begun(audit, "log.audit")
        self._xferlog = _begun(xferlog, "log.xferlog")

    def __call__(self, event: Event) -> None:
        """Write down what belongs to the trail."""
        if self._audit is not None and (deed := _DEEDS.get(type(event))) is not None:
            self._write(self._audit, audit_line(event, deed, time()))
        if self._xferlog is None or not isinstance(event, events.TransferEnded):
            return
        if (line := xferlog_line(event, time())) is not None:
            self._write(self._xferlog, line)

    def _write(self, trail: Trail, line: str) -> None:
        problem = trail.write(line)
        if problem is not None:
            self._announce(Fault(f"cannot write {trail.path}", str(problem), ""))


class Trail:
    """A file that lines are appended to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = -1
        self._node = (0, 0)
        self._is_broken = False
        self._open()

    def write(self, line: str) -> OSError | None:
        """Append a line; the problem is returned when it is new: a full disk fills no log."""
        try:
            self._follow()
            os.write(self._fd, line.encode("utf-8", "backslashreplace") + b"\n")
        except OSError as problem:
            was_broken, self._is_broken = self._is_broken, True
            return None if was_broken else problem
        self._is_broken = False
        return None

    def _follow(self) -> None:
        """Begin a new file where the old one was moved away."""
        try:
            found = self.path.stat()
            if (found.st_dev, found.st_ino) == self._node:
                return
        except FileNotFoundError:
            pass
        self._open()

    def _open(self) -> None:
        # Where the path is a pipe, we do not wait for who reads it.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        fd = os.open(self.path, flags, 0o640)
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = fd
        found = os.fstat(fd)
        self._node = (found.st_dev, found.st_ino)


def _begun(path: str | None, setting: str) -> Trail | None:
    if path is None:
        return None
    try:
        return Trail(Path(path))
    except OSError as problem:
        raise CannotWrite(f"{setting}: cannot write {path}: {problem.strerror}") from None


def audit_line(event: Event, deed: str, now: float) -> str:
    """Return one line of JSON: when, what, and every field of the event that says something."""
    when = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
    told = {key: value for key, value in asdict(event).items() if value not in ("", None)}
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in told.items()}
    return json.dumps({"time": when, "deed": deed, **rounded}, ensure_ascii=True)


def xferlog_line(event: events.TransferEnded, now: float) -> str | None:
    """Return the line that wu-ftpd and ProFTPD would write; None for a listing, which has none."""
    direction = _DIRECTIONS.get(event.kind)
    if direction is None:
        return None
    local = datetime.fromtimestamp(now).astimezone()
    fields = (
        local.strftime("%a %b %e %H:%M:%S %Y"),
        str(max(1, round(event.queue + event.prepare + event.open + event.data + event.final))),
        event.source,
        str(event.moved),
        _without_blanks(event.path),
        "a" if event.is_ascii else "b",
        "_",  # no compression, no archive
        direction,
        "r",  # a login of its own
        _without_blanks(event.user) or "-",
        "ftp",
        "0",  # no RFC 931
        "*",
        "c" if event.result == Result.DONE else "i",
    )
    return " ".join(fields)


def _without_blanks(text: str) -> str:
    """Blanks separate the fields: names have underscores instead, as the servers write them."""
    return "".join("_" if one.isspace() or not one.isprintable() else one for one in text)
