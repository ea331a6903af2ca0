"""How a transfer begins at the server: where its data goes, the command, the first reply.

Read that early, a 550 stays a 550 and does not become a 425 (docs/CLIENTS.md, Ends).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from proxy.ftp.reply import Reply
from proxy.net.control import Disturbed
from proxy.net.tls import TlsCut
from proxy.refusals import Declined, Reason
from proxy.upstream.session import Lost, Silent, UpstreamSession

from .healing import Broken
from .server_data import ServerData

AT_ONCE = 0.3  # seconds for a refusal that is already on its way
COMMAND_OKAY = 200  # RFC 959 section 5.4: what PORT is answered, and no transfer


class Opening:
    """One attempt; `final` is how long (seconds) a reply may take."""

    def __init__(
        self,
        session: UpstreamSession,
        server: ServerData,
        *,
        final: float,
        mark: Callable[[], None],
    ) -> None:
        self._session = session
        self._server = server
        self._final = final
        self._mark = mark
        self.is_committed = False  # something of the client's own command may have been done
        self.answers: list[Reply] = []

    async def first_reply(
        self, command: bytes, restart: bytes | None, questions: Sequence[bytes] = ()
    ) -> Reply:
        """Agree on a data connection and send the command; return what is said to it first.

        The questions are asked before; `answers` has what was said to them.
        """
        session, server = self._session, self._server
        request = server.request(session)
        goes_ahead = server.saves_time(session)
        together = goes_ahead and server.is_offered and server.down and restart is None
        if goes_ahead:
            # One write, a round trip less: none of it changes a file.
            if together:
                session.send_transfer(*questions, request, command)
            else:
                session.send(*questions, request)
            self.answers = [await session.final() for _ in questions]
        else:
            self.answers = [await session.ask(question) for question in questions]
            session.send(request)
        answer = await session.reply()
        if together:
            return await self._agree_together(answer)
        server.agree(session, answer)
        self.is_committed = True
        self._mark()
        return await self._command(command, restart)

    async def _command(self, command: bytes, restart: bytes | None) -> Reply:
        if restart is not None:
            # RFC 959 section 4.1.3: nothing may stand between REST and its transfer.
            reply = await self._session.restart(restart)
            if not reply.is_intermediate:
                return reply
        self._session.send_transfer(command)
        return await self._first()

    async def _agree_together(self, answer: Reply) -> Reply:
        """Tell the answer to PORT from that to the command behind it; return the latter."""
        session = self._session
        if answer.is_preliminary:
            # pyftpdlib obeys the second command while it still connects for the first, and then
            # sends nothing on that connection (measured).
            session.answered_out_of_turn()
            raise Lost("out of turn", answer.words)
        self.is_committed = True
        self._mark()
        first = await self._first()
        if answer.is_refusal and first.code == COMMAND_OKAY:
            session.answered_out_of_turn()
            answer, first = first, answer
        if not answer.is_success and first.is_preliminary:
            session.spoil()  # it sends the file to somewhere else
        self._server.agree(session, answer)
        return first

    async def _first(self) -> Reply:
        """Return the next reply; raise Declined when the data connection fails before it comes."""
        session, opened = self._session, self._server.opened

        def unopened() -> None:
            if not opened.done():
                self._server.was_silent()
                limit = self._server.patience
                session.channel.disturb(TimeoutError(f"none within {limit:g} s"))

        def failed(opened: asyncio.Future[None]) -> None:
            if not opened.cancelled() and isinstance(problem := opened.exception(), OSError):
                session.channel.disturb(problem)

        timer = asyncio.get_running_loop().call_later(self._server.patience, unopened)
        opened.add_done_callback(failed)
        try:
            return await session.reply(self._final)
        except Disturbed as disturbed:
            # The server may just be saying why; else the network's word must do, and the session
            # is of no use: vsftpd, for one, hears nothing while it waits for the connection.
            try:
                reply = await session.reply(AT_ONCE)
            except Silent:
                session.spoil()
                raise no_data(disturbed.problem) from None
            if reply.is_preliminary:
                raise no_data(disturbed.problem) from None
            return reply
        finally:
            timer.cancel()
            opened.remove_done_callback(failed)


def no_data(problem: OSError) -> Declined:
    """Explain that no data connection with the server came about, or that it was reset."""
    if isinstance(problem, ConnectionResetError):
        return Broken(Reason.UPSTREAM_DATA_LOST)
    kind = Broken if isinstance(problem, TlsCut) else Declined
    return kind.for_want_of_data(Reason.UPSTREAM_DATA, problem)
