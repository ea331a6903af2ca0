"""Going on with a transfer where the server's part of it broke, behind the client's back.

Here is what both directions have in common; how each proves what it does stands in
download_healing.py and upload_healing.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Self

from proxy.ftp.reply import Reply
from proxy.net.data import Stream
from proxy.net.relay import Source
from proxy.refusals import Declined, Reason
from proxy.upstream.session import UpstreamSession
from proxy.upstream.vigilance import Vigilance
from proxy.value import value

from .evidence import Identity, Unsure, found

BROKEN_OFF = (426, 451)  # a server's word for a transfer that it could not end
NOT_TAKEN = (425, *BROKEN_OFF)  # behind its 150, for an upload: proftpd's 425 is a cut handshake
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


@value
class Attempt:
    """What an attempt asks of the server; `moved` bytes of the transfer it need not move."""

    command: bytes
    restart: bytes | None
    moved: int = 0
    is_whole: bool = False  # nothing is left to be asked


class Healing(ABC):
    """The attempts of one transfer."""

    def __init__(self, path: bytes, vigilance: Vigilance) -> None:
        self._questions = (b"SIZE " + path, b"MDTM " + path)
        self._vigilance = vigilance
        self._futile = 0
        self._best = 0
        self.heals = 0

    @abstractmethod
    async def attempt(self, session: UpstreamSession, moved: int) -> Attempt:
        """Say how to begin, or to go on after `moved` bytes; raise Declined if nobody can tell."""

    @abstractmethod
    def questions(self, session: UpstreamSession, moved: int) -> tuple[bytes, ...]:
        """Return what to ask before the first byte, where that may come to matter."""

    @abstractmethod
    def learn(self, answers: Sequence[Reply]) -> None:
        """Remember what the file was before."""

    def goes_on(self, broken: Broken, moved: int) -> bool:
        """Tell whether another attempt makes sense after one that broke at `moved` bytes."""
        self._vigilance.was_broken()
        self._futile = 0 if moved > self._best else self._futile + 1
        self._best = max(moved, self._best)
        if self._futile >= MOST_FUTILE or not self._may_go_on(broken, moved):
            return False
        self.heals += 1
        return True

    @property
    def gets_on(self) -> bool:
        """Tell whether the last attempt brought anything."""
        return not self._futile

    def source(self, client: Stream) -> Source:
        """Return what an upload is read from."""
        return client

    def insists(self, attempt: Attempt) -> bool:
        """Tell whether to try in another way what the server has just refused."""
        return False

    @abstractmethod
    async def verify(self, session: UpstreamSession) -> None:
        """Raise Broken if the server has not what it says it has."""

    def went_well(self, moved: int) -> None:
        """The file is whole."""
        self._vigilance.went_well(moved)

    @abstractmethod
    def close(self) -> None:
        """Give back what was kept for another attempt."""

    async def _look(self, session: UpstreamSession) -> Identity | Unsure:
        """Ask what the file is now."""
        return found([await session.ask(line) for line in self._questions])

    @abstractmethod
    def _may_go_on(self, broken: Broken, moved: int) -> bool:
        """Tell whether what is missing can be had at all."""
