"""What SIZE and MDTM prove of a file: that it is still the same, or has all that was sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from proxy.ftp.action import Transfer
from proxy.ftp.reply import Reply
from proxy.ftp.virtual import BINARY
from proxy.upstream.session import UpstreamSession

TOLD = 213
NO_SUCH_FILE = 550


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells that a file is still the same."""

    size: int
    modified: bytes


class Unsure(Enum):
    """What the answers may tell instead."""

    ABSENT = auto()
    UNKNOWN = auto()


def found(answers: Sequence[Reply]) -> Identity | Unsure:
    """Read the answers to SIZE and MDTM about a file that may not exist."""
    if answers and answers[0].code == NO_SUCH_FILE:
        return Unsure.ABSENT
    if [answer.code for answer in answers] != [TOLD, TOLD]:
        return Unsure.UNKNOWN
    size = told_size(answers[0])
    return Unsure.UNKNOWN if size is None else Identity(size, answers[1].text.strip())


def told_size(answer: Reply) -> int | None:
    """Read an answer to SIZE; None: it tells none."""
    size = answer.text.strip()
    return int(size) if answer.code == TOLD and size.isdigit() else None


async def has_all(session: UpstreamSession, job: Transfer, moved: int) -> bool | None:
    """Ask whether the file has just the bytes that came or went; None: nobody can tell.

    In ASCII lines grow on the wire; a listing has no size, and an append begins anywhere.
    """
    if job.command.verb not in ("RETR", "STOR") or session.state.type != BINARY:
        return None
    size = told_size(await session.ask(b"SIZE " + job.command.argument))
    return None if size is None else size == int(job.restart or b"0") + moved
