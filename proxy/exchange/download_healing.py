"""Downloads and listings that break: only what is provably the same file is continued.

Its SIZE and MDTM must be what they were before the first byte. What has not begun to arrive is
simply fetched again.
"""

from __future__ import annotations

from collections.abc import Sequence

from proxy.ftp.action import Transfer
from proxy.ftp.reply import Reply
from proxy.ftp.virtual import BINARY
from proxy.refusals import Declined, Reason
from proxy.upstream.session import UpstreamSession
from proxy.upstream.vigilance import Vigilance

from .evidence import Identity, Unsure, found
from .healing import Attempt, Broken, Healing


class DownloadHealing(Healing):
    """The attempts of one download or listing."""

    def __init__(self, job: Transfer, vigilance: Vigilance) -> None:
        super().__init__(job.command.argument, vigilance)
        self._job = job
        self._offset = int(job.restart or b"0")
        self._has_content = job.command.verb == "RETR"
        self._before: Identity | Unsure = Unsure.UNKNOWN

    async def attempt(self, session: UpstreamSession, moved: int) -> Attempt:
        """Fetch the rest; raise Declined if it is another file by now."""
        command = self._job.command.line
        if not moved:
            return Attempt(command, self._job.restart)
        assert isinstance(self._before, Identity)
        if await self._look(session) != self._before:
            raise Declined(Reason.FILE_CHANGED)
        restart = self._offset + moved
        return Attempt(command, b"%d" % restart, moved, restart == self._before.size)

    def questions(self, session: UpstreamSession, moved: int) -> tuple[bytes, ...]:
        """Ask what the file is."""
        # In ASCII a byte's place in the file is not its place on the wire: no REST goes there.
        if moved or not self._has_content or session.state.type != BINARY:
            return ()
        return self._questions if self._vigilance.is_wary else ()

    def learn(self, answers: Sequence[Reply]) -> None:
        """Remember what the file is."""
        self._before = found(answers)

    async def verify(self, session: UpstreamSession) -> None:
        """Believe the server: what the client has is what came before its FIN."""

    def close(self) -> None:
        """Nothing is kept: the server has it all."""

    def _may_go_on(self, broken: Broken, moved: int) -> bool:
        return not moved or isinstance(self._before, Identity)
