"""Uploads that break: bytes are sent again only where it is provable which ones the server lacks.

Three things are believed. What was never read from the client, no server has. A STOR from the
beginning makes the file anew, whatever was there. And a file that the server has written since (its
SIZE or MDTM is not what it was before) holds the first SIZE bytes of ours, in order; but behind a
REST of the client's only if its SIZE has changed, for some servers leave there what stood behind.
Of two who write one name at once neither is safe, with us or without.
"""

from __future__ import annotations

from collections.abc import Sequence

from proxy.ftp.action import Transfer
from proxy.ftp.reply import Reply
from proxy.ftp.virtual import BINARY
from proxy.net.data import Stream
from proxy.net.replay import Replay, ReplayMemory
from proxy.refusals import Declined, Reason
from proxy.upstream.session import UpstreamSession
from proxy.upstream.vigilance import Vigilance

from .evidence import NO_SUCH_FILE, Identity, Unsure, found, told_size
from .healing import Attempt, Broken, Healing

NOT_KNOWN = (500, 502, 504)  # what a server without SIZE says to it


class UploadHealing(Healing):
    """The attempts of one STOR or APPE. STOU makes a new file each time: it is not for here."""

    def __init__(self, job: Transfer, vigilance: Vigilance, memory: ReplayMemory) -> None:
        super().__init__(job.command.argument, vigilance)
        self._job = job
        self._appends = job.command.verb == "APPE"
        self._memory = memory
        self._replay: Replay | None = None
        self._server: object = None  # whose file is meant
        self._before: Identity | Unsure = Unsure.UNKNOWN
        self._takes_restart = True
        self._lacking = 0  # the first byte that the present attempt sends
        self._was_missed = False  # it was all sent, and taken, and then said not to be there
        # A process of the server's may outlive its connection, and still write what it has read.
        # That does no harm where the same bytes are written to the same place; but it appends at
        # the wrong place, and after the file was cut to nothing it leaves a hole.
        self._may_linger = False
        self._may_have_hole = False

    def source(self, client: Stream) -> Replay:
        """Read from the client, and from memory what is to be sent again."""
        if self._replay is None:
            self._replay = Replay(client, self._memory)
        return self._replay

    def close(self) -> None:
        """Give the memory back."""
        if self._replay is not None:
            self._replay.close()

    def questions(self, session: UpstreamSession, moved: int) -> tuple[bytes, ...]:
        """Ask what stands in the file's place; for an APPE that is where the file begins."""
        if self._has_sent or self._before is not Unsure.UNKNOWN or session.state.type != BINARY:
            return ()
        return self._questions if self._appends or self._vigilance.is_wary else ()

    def learn(self, answers: Sequence[Reply]) -> None:
        """Remember what stood there."""
        self._before = found(answers)

    async def attempt(self, session: UpstreamSession, moved: int) -> Attempt:
        """Send all again, or what the server lacks; raise Declined if nobody can tell what."""
        anew = Attempt(self._job.command.line, self._job.restart)
        if session.channel.peer != self._server:
            # Another machine has taken over: nothing is known of what it holds.
            self._server, self._before = session.channel.peer, Unsure.UNKNOWN
        if self._replay is None:
            return anew
        lacking = self._from_where(await self._found_now(session)) if self._has_sent else 0
        if lacking < self._replay.oldest:
            raise Declined(Reason.UPLOAD_UNSURE)
        self._replay.rewind(lacking)
        self._lacking = lacking
        if lacking:
            command = b"STOR " + self._job.command.argument
            return Attempt(command, b"%d" % (self._begin + lacking), lacking)
        self._may_have_hole = self._may_have_hole or self._may_linger
        return anew

    def insists(self, attempt: Attempt) -> bool:
        """A server that takes no REST before STOR may still take it all again."""
        if not attempt.moved:
            return False
        self._takes_restart = False
        return True

    async def verify(self, session: UpstreamSession) -> None:
        """After a break nobody's 226 is believed without asking."""
        if not self.heals or session.state.type != BINARY or self._is_begin_unknown:
            return
        assert self._replay is not None
        answer = await session.ask(self._questions[0])
        if answer.code in NOT_KNOWN:
            return  # it was sent from its beginning, and the server says that it has it all
        if told_size(answer) == self._begin + self._replay.taken:
            return
        is_missed = answer.code == NO_SUCH_FILE and not (self._lacking or self._appends)
        if is_missed and self._was_missed:
            return  # a mailbox: no process that broke off can have deleted it once more
        self._was_missed = is_missed
        raise Broken(Reason.UPLOAD_UNSURE)

    def _may_go_on(self, broken: Broken, moved: int) -> bool:
        if self._has_sent and broken.reply is None:
            self._may_linger = True
        return True

    @property
    def _has_sent(self) -> bool:
        """Tell whether the server may have anything: what is taken is handed over at once."""
        return self._replay is not None and self._replay.taken > 0

    @property
    def _begin(self) -> int:
        """Where in the file the client's first byte belongs."""
        if not self._appends:
            return int(self._job.restart or b"0")
        return self._before.size if isinstance(self._before, Identity) else 0

    @property
    def _is_begin_unknown(self) -> bool:
        return self._appends and self._before is Unsure.UNKNOWN

    async def _found_now(self, session: UpstreamSession) -> Identity | Unsure:
        if session.state.type != BINARY or self._before is Unsure.UNKNOWN:
            return Unsure.UNKNOWN  # in ASCII a byte's place in the file is not that on the wire
        return await self._look(session)

    def _from_where(self, now: Identity | Unsure) -> int:
        """Return the first byte that the server lacks; -1: nobody can tell."""
        assert self._replay is not None
        if self._appends and self._may_linger:
            return -1
        if isinstance(now, Identity) and now != self._before and not self._may_have_hole:
            kept = now.size - self._begin
            is_there = self._replay.oldest <= kept <= self._replay.taken
            is_there = is_there and not self._may_be_old(now)
            if is_there and (self._takes_restart or not kept):
                return kept
        # A file that is not there may be one that nobody is let look at: it says 550 as well.
        is_untouched = isinstance(now, Identity) and now == self._before
        return 0 if is_untouched or not self._appends else -1

    def _may_be_old(self, now: Identity) -> bool:
        """Tell whether its length may be that of what stood behind the client's REST."""
        if self._job.restart is None or not isinstance(self._before, Identity):
            return False
        return now.size == self._before.size
