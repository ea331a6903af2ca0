"""Going on with a download where the server's part of it broke, behind the client's back.

Only what is provably the same file is continued: its SIZE and MDTM must be what they were before
the first byte. What has not begun to arrive is simply fetched again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from proxy.ftp.action import Transfer
from proxy.ftp.reply import Reply
from proxy.ftp.virtual import BINARY
from proxy.refusals import Reason
from proxy.upstream.session import UpstreamSession
from proxy.upstream.vigilance import Vigilance

from .declined import Declined

BROKEN_OFF = (426, 451)  # a server's word for a download that it could not end
MOST_FUTILE = 5  # attempts in a row that brought not one byte


class Broken(Declined):
    """The server's part of a transfer failed; another session may go on with it.

    `reply` is the server's own word, where it had one.
    """

    reply: Reply | None = None

    @classmethod
    def told(cls, reply: Reply) -> Self:
        """The server itself said that it broke off."""
        broken = cls(Reason.UPSTREAM_DATA_LOST, words=reply.words)
        broken.reply = reply
        return broken


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells that a file is still the same."""

    size: int
    modified: bytes


class Healing:
    """The attempts of one download."""

    def __init__(self, job: Transfer, vigilance: Vigilance) -> None:
        path = job.command.argument
        self._questions = (b"SIZE " + path, b"MDTM " + path)
        self._offset = int(job.restart or b"0")
        self._has_content = job.command.verb == "RETR"
        self._vigilance = vigilance
        self._identity: Identity | None = None
        self._futile = 0
        self._best = 0
        self.heals = 0

    def questions(self, session: UpstreamSession, moved: int) -> tuple[bytes, ...]:
        """Return what to ask before the first byte, where that may come to matter."""
        # In ASCII a byte's place in the file is not its place on the wire: no REST goes there.
        if moved or not self._has_content or session.state.type != BINARY:
            return ()
        return self._questions if self._vigilance.is_wary else ()

    def learn(self, answers: Sequence[Reply]) -> None:
        """Remember what the file is."""
        self._identity = _identity(answers)

    async def has_all(self, session: UpstreamSession, moved: int) -> bool:
        """Tell whether the `moved` bytes are the whole file; raise Declined if it is another."""
        if _identity([await session.ask(line) for line in self._questions]) != self._identity:
            raise Declined(Reason.FILE_CHANGED)
        assert self._identity is not None
        return self._offset + moved == self._identity.size

    def restart(self, moved: int) -> int:
        """Where in the file the next attempt begins."""
        return self._offset + moved

    def goes_on(self, moved: int) -> bool:
        """Tell whether another attempt makes sense after one that broke at `moved` bytes."""
        self._vigilance.was_broken()
        self._futile = 0 if moved > self._best else self._futile + 1
        self._best = moved
        if self._futile >= MOST_FUTILE or (moved and self._identity is None):
            return False
        self.heals += 1
        return True

    def went_well(self, moved: int) -> None:
        """The file is whole."""
        self._vigilance.went_well(moved)


async def is_whole(session: UpstreamSession, job: Transfer, moved: int) -> bool:
    """Ask whether the file is just as long as what came; a listing has no size to compare."""
    if job.command.verb != "RETR" or session.state.type != BINARY:
        return False
    reply = await session.ask(b"SIZE " + job.command.argument)
    size = reply.text.strip()
    if reply.code != 213 or not size.isdigit():
        return False
    return int(size) == int(job.restart or b"0") + moved


def _identity(answers: Sequence[Reply]) -> Identity | None:
    """Read the answers to SIZE and MDTM."""
    if [answer.code for answer in answers] != [213, 213]:
        return None
    size, modified = (answer.text.strip() for answer in answers)
    return Identity(int(size), modified) if size.isdigit() else None
