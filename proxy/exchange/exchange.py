"""The data exchange of one transfer: two data ends, the relay between them, one honest final reply.

Order matters here and is told where it does: RFC 959 section 3.3, and docs/CLIENTS.md, Ends.
"""

from __future__ import annotations

from collections.abc import Callable

from proxy.ftp.action import Transfer
from proxy.ftp.command import Direction
from proxy.ftp.reply import Reply
from proxy.net.data import Stream
from proxy.net.listener import ListenerPool
from proxy.net.memory import Remembering
from proxy.net.relay import End, Relay, Source
from proxy.net.throttle import Tap
from proxy.refusals import Declined, Reason
from proxy.shaping.holds import Ending
from proxy.upstream.due import Due
from proxy.upstream.habits import Habits
from proxy.upstream.session import Lost, Silent, UpstreamSession

from .client_data import ClientData
from .delivery import CLIENT_CLOSED, CLIENT_CUT
from .evidence import has_all
from .forgotten import Forgotten, is_forgotten, objection, why_nothing_came
from .healing import BROKEN_OFF, NOT_TAKEN, Attempt, Broken, Healing
from .last_word import explanation, last_word
from .listings import LARGEST
from .opening import Opening, no_data
from .rules import ExchangeRules
from .server_data import ServerData

CANNOT_OPEN = 425


class Exchange:
    """Carries out one Transfer with a loan; `run` returns the final reply for the client.

    Whatever happens, both data connections are gone when `run` is left: by FIN when the transfer
    is known to be whole, else by RST, so that nobody takes a part for the whole.
    """

    def __init__(
        self,
        job: Transfer,
        rules: ExchangeRules,
        ports: ListenerPool,
        client: ClientData,
        *,
        preliminary: Callable[[Reply], None],
        mark: Callable[[], None],
        clock: Callable[[], float],
        healing: Healing | None = None,
        keeps_copy: bool = False,
    ) -> None:
        self._job = job
        self._rules = rules
        self._client = client
        self._preliminary = preliminary
        self._mark = mark
        self._healing = healing
        self._keeps_copy = keeps_copy
        self._copy: Remembering | None = None
        self._ports = ports  # where the server connects, if it is to
        self._clock = clock
        self._server: ServerData  # of the present attempt
        self._relay: Relay | None = None
        self._moved_before = 0  # by attempts that broke
        self._is_announced = False  # the client has been told that data comes
        self._hand_on: Callable[[], UpstreamSession | Due]  # set by run
        self._is_committed = False  # something of the client's own command has been done
        self.is_delivered = False  # the client has sent all it had: it may leave, we go on

    @property
    def is_held(self) -> bool:
        """Tell whether its rate keeps it waiting."""
        return self._relay is not None and self._relay.is_held

    @property
    def ending(self) -> Ending | None:
        """How the connection with the server ended; None: it was not even tried."""
        return self._server.ending

    @property
    def copy(self) -> bytes | None:
        """What went to the client, if a copy was to be kept and it was not too long."""
        return self._copy.content if self._copy is not None else None

    @property
    def moved(self) -> int:
        """Bytes handed on so far."""
        return self._moved_before + (self._relay.moved if self._relay is not None else 0)

    async def run(
        self,
        session: UpstreamSession,
        open_tap: Callable[[], Tap | None],
        hand_on: Callable[[], UpstreamSession | Due],
    ) -> Reply:
        """Move the file, no faster than the tap gives; return the final reply.

        Raise Declined when it fails for a reason of ours or the network's. `hand_on` is called once
        the server has sent all its data: what it returns has the final reply.

        Raise Lost when the session died before anything of the client's command was done, Broken
        when only the server's part failed (Forgotten: over our TLS session), and Unreached when it
        could not connect to us: then another session may go on. The client's data connection stays
        open until `close`, which its owner must call.
        """
        self._hand_on = hand_on
        self._is_committed = False
        self._server = ServerData(
            self._ports,
            reach=self._rules.reach,
            down=self._job.direction.is_down,
            connect=self._rules.connect,
            habits=self._rules.habits,
            clock=self._clock,
        )
        try:
            return await self._try(session, open_tap)
        except Lost as lost:
            if not self._is_committed:
                raise
            raise Broken(lost.refusal, words=lost.words) from None
        except Declined:
            if not self._server.is_on_trial:
                raise
            session.spoil()  # it may still be busy connecting
            raise self._server.unreached() from None
        finally:
            self._server.break_off()

    def close(self) -> None:
        """End the client's data connection, by RST unless it has ended in peace."""
        self._client.close()

    async def _try(self, session: UpstreamSession, open_tap: Callable[[], Tap | None]) -> Reply:
        attempt = await self._attempt(session)
        if attempt.is_whole and self._client.was_begun:
            self._client.finish()
            return COMPLETE
        first = await self._begin(session, attempt)
        if first.code == CANNOT_OPEN and self._server.is_on_trial:
            raise self._server.unreached()
        if first.is_refusal or first.is_intermediate:
            self._unless_forgotten(first)
            if self._healing is not None and self._healing.insists(attempt):
                raise Broken.told(first)
            return first
        if not self._is_announced:
            self._is_announced = True
            self._preliminary(first)
        source, target = await self._both_ends()
        self._mark()
        is_upload = self._job.direction is Direction.UPLOAD
        was_resumed = self._rules.resumptions.accept(self._server.resumed)
        if is_upload and not was_resumed:
            if word := await objection(session, self._server):
                return await self._refused_upload(session, word)
            self._rules.resumptions.forget()  # it does no longer, and does not mind
        end = await self._carry(source, target, open_tap())
        self._mark()
        finish = self._finish_upload if is_upload else self._finish_download
        reply = await finish(session, end, None if first.is_preliminary else first)
        self._mark()
        return reply

    # Opening.

    async def _attempt(self, session: UpstreamSession) -> Attempt:
        """Say what there is to do, and count from where it begins."""
        if self._healing is None:
            attempt = Attempt(self._job.command.line, self._job.restart, self.moved)
        else:
            attempt = await self._healing.attempt(session, self.moved)
        self._moved_before, self._relay = attempt.moved, None
        return attempt

    async def _begin(self, session: UpstreamSession, attempt: Attempt) -> Reply:
        """Have the server begin; return its first reply."""
        opening = Opening(session, self._server, final=self._rules.final, mark=self._mark)
        questions = self._healing.questions(session, self.moved) if self._healing else ()
        try:
            return await opening.first_reply(attempt.command, attempt.restart, questions)
        finally:
            self._is_committed = opening.is_committed
            if self._healing and questions:
                self._healing.learn(opening.answers)

    async def _both_ends(self) -> tuple[Source, Stream]:
        """Return (source, target) of the relay, both connected."""
        self._client.open()
        try:
            server = await self._server.wait()
        except OSError as problem:
            raise no_data(problem) from None
        client = await self._client.wait()
        if self._rules.dscp is not None:
            self._server.mark(self._rules.dscp)
        if self._job.direction is Direction.UPLOAD:
            return (self._healing.source(client) if self._healing else client), server
        return server, client

    async def _carry(self, source: Source, target: Stream, tap: Tap | None) -> End:
        splice = self._rules.splice and not self._keeps_copy
        if self._keeps_copy:
            self._copy = Remembering(target, LARGEST)
        self._relay = Relay(
            source, self._copy or target, stall=self._rules.stall, splice=splice, tap=tap
        )
        return await self._relay.run(self._server.has_vanished)

    # Ending.

    async def _finish_download(
        self, session: UpstreamSession, end: End, final: Reply | None
    ) -> Reply:
        match end:
            case End.SOURCE_ENDED if not self._rules.goodbyes.accept(self._server.goodbye):
                raise await self._broken(session)
            case End.SOURCE_ENDED:
                habits = self._rules.habits
                if habits is not None and habits.bears_reset:
                    final = await self._reset_upstream(session, habits, final)
                else:
                    # At once: before its 226, proftpd waits for our FIN, vsftpd for our ACK.
                    self._server.finish()
                    final = final or await self._hand_on().final(self._rules.final)
                # The client's FIN comes after the server's word: a 426 then still ends in RST.
                # Where nothing came there is no part to be taken for the whole, and clients like
                # ftplib hear the server's 450 only when their data connection ended in peace.
                if self._healing is not None and final.code in BROKEN_OFF:
                    raise Broken.told(final)
                self._unless_forgotten(final)
                if final.is_success or not self.moved:
                    self._client.finish()
                return final
            case End.TARGET_FAILED:
                return CLIENT_CLOSED
            case End.SOURCE_FAILED:
                # The data socket's error outranks a 226 (vsftpd was seen to send one).
                raise await self._broken(session)
            case End.STALLED:
                raise self._server.why_stalled(self._rules.stall)

    def _unless_forgotten(self, reply: Reply) -> Reply:
        if not self.moved and is_forgotten(self._server, reply):
            raise Forgotten.told(reply)
        return reply

    async def _broken(self, session: UpstreamSession) -> Broken:
        if self.moved:
            return Broken(Reason.UPSTREAM_DATA_LOST)
        return await why_nothing_came(session, self._server)

    async def _finish_upload(
        self, session: UpstreamSession, end: End, final: Reply | None
    ) -> Reply:
        match end:
            case End.SOURCE_ENDED if not self._client.accepts_end():
                return CLIENT_CUT
            case End.SOURCE_ENDED:
                self.is_delivered = True
                try:
                    self._server.finish_writing()
                except OSError:  # reset since the last byte was handed over
                    return await self._refused_upload(session, final)
                # With healing, more is asked on this session afterwards.
                ahead = self._hand_on if self._healing is None else None
                final, may_lack = await last_word(session, self._server, final, self._rules, ahead)
                self._unless_forgotten(final)
                self._server.finish()
                await self._verify(session, final, may_lack=may_lack)
                self._client.finish()  # a FIN is answered with FIN, or rclone reports failure
                return final
            case End.SOURCE_FAILED:
                return CLIENT_CLOSED
            case End.TARGET_FAILED:
                return await self._refused_upload(session, final)
            case End.STALLED:
                raise self._server.why_stalled(self._rules.stall)

    async def _refused_upload(self, session: UpstreamSession, final: Reply | None) -> Reply:
        """A full disk, a quota: the server says which, in its final reply."""
        final = final or await explanation(session)
        self._unless_forgotten(final)
        if self._healing is not None and final.code in NOT_TAKEN:
            raise Broken.told(final)
        if final.is_refusal:
            return final
        raise Broken(Reason.UPSTREAM_DATA_LOST)

    async def _verify(self, session: UpstreamSession, final: Reply, *, may_lack: bool) -> None:
        """Raise Broken if the server has not all of an upload, or says so."""
        if self._healing is not None and final.code in NOT_TAKEN:
            raise Broken.told(final)
        if not final.is_success:
            return
        # pyftpdlib takes a reset for the end, and says 226 (measured).
        if may_lack and await has_all(session, self._job, self.moved) is False:
            raise Broken(Reason.UPSTREAM_DATA_LOST)
        if self._healing is not None:
            await self._healing.verify(session)

    async def _reset_upstream(
        self, session: UpstreamSession, habits: Habits, final: Reply | None
    ) -> Reply:
        """End a finished download by RST, so that nobody keeps a TIME_WAIT.

        After the final reply where it comes promptly: then the server has nothing left to do. One
        that waits for our close gets the RST first. Never before its FIN has been read.
        """
        # vsftpd sends its 226 only when its FIN has been acknowledged (else 40 ms are lost).
        self._server.acknowledge()
        # Where the reset may harm, the file's size must still be asked on this session.
        teller = self._hand_on() if final is None and habits.is_prompt else session
        try:
            if final is None and habits.patience:
                final = await teller.final(habits.patience)
                habits.is_prompt = True
        except Silent:
            habits.kept_us_waiting()
        self._server.reset()
        habits.resets += 1
        if final is not None:
            return final
        final = await teller.final(self._rules.final)
        if final.is_refusal:
            habits.took_harm()
            if teller is session and await has_all(session, self._job, self.moved):
                return COMPLETE
        return final


COMPLETE = Reply.of(226, "Transfer complete.")
