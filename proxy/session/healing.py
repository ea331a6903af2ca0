"""Going on with a download where the server's part of it broke, behind the client's back.

Only what is provably the same file is continued: its SIZE and MDTM must be what they were before
the first byte. What has not begun to arrive is simply fetched again.
"""

from __future__ import annotations

from dataclasses import dataclass

from proxy.ftp.action import Transfer
from proxy.ftp.reply import Reply
from proxy.ftp.virtual import BINARY
from proxy.refusals import Reason
from proxy.upstream.session import UpstreamSession
from proxy.upstream.vigilance import Vigilance

from .declined import Declined

MOST_FUTILE = 5  # attempts in a row that brought not one byte


class Broken(Declined):
    """The server's part of a transfer failed; another session may go on with it.

    `reply` is the server's own word, where it had one.
    """

    reply: Reply | None = None

    @classmethod
    def told(cls, reply: Reply) -> Broken:
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
        self._path = job.command.argument
        self._offset = int(job.restart or b"0")
        self._has_content = job.command.verb == "RETR"
        self._vigilance = vigilance
        self._identity: Identity | None = None
        self._futile = 0
        self._best = 0
        self.heals = 0

    async def has_all(self, session: UpstreamSession, moved: int) -> bool:
        """Tell whether the `moved` bytes are the whole file.

        Before the first byte, learn what the file is, where that may come to matter. Later, raise
        Declined when it is not the same any more.
        """
        if not moved:
            # In ASCII a byte's place in the file is not its place on the wire: no REST goes there.
            if self._has_content and self._vigilance.is_wary and session.state.type == BINARY:
                self._identity = await _identify(session, self._path)
            return False
        if await _identify(session, self._path) != self._identity:
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


async def _identify(session: UpstreamSession, path: bytes) -> Identity | None:
    size = await session.ask(b"SIZE " + path)
    modified = await session.ask(b"MDTM " + path)
    number = size.text.strip()
    if size.code != 213 or modified.code != 213 or not number.isdigit():
        return None
    return Identity(int(number), modified.text.strip())
