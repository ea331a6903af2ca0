"""The files that stand on the server before a run, and what stands there after it."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from .content import content, digest
from .layout import Member
from .record import Kind, Outcome, Record


def lay_out(folder: Path, places: Iterable[Member]) -> None:
    """Write every file that scripts will ask for, and the directories they will fill."""
    folder.mkdir(mode=0o755, exist_ok=True)
    for member in places:
        (folder / member.name).mkdir(exist_ok=True)
        (folder / member.name).chmod(0o777)  # real servers run as somebody else
        for path, size in member.files_on_server():
            (folder / path.lstrip("/")).write_bytes(content(path, size))


def wrong_uploads(folder: Path, places: list[Member], records: Iterable[Record]) -> list[str]:
    """Compare what scripts were told is stored with what is there."""
    wrong: list[str] = []
    for record in records:
        member = places[record.script % len(places)]
        is_upload = record.kind == Kind.FILE and member.group.do == "upload"
        if is_upload and record.outcome == Outcome.DONE:
            path = member.path(record.script, record.file)
            size = member.size(record.script, record.file)
            if lie := _lie(folder / path.lstrip("/"), path, size):
                wrong.append(f"{member.name}: STOR {path}: {lie}, yet {record.code}")
    return wrong


def _lie(stored: Path, path: str, size: int) -> str:
    if not stored.is_file():
        return "nothing is there"
    data = stored.read_bytes()
    if len(data) != size:
        return f"{len(data)} of {size} bytes are there"
    return "" if sha256(data).digest() == digest(path, size) else "other bytes are there"
