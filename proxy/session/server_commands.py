"""Commands that the server must answer and that move no data: asked on a borrowed session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from proxy.ftp.action import LOOKS_ONLY
from proxy.ftp.command import Command, Needs
from proxy.ftp.reply import Reply
from proxy.ftp.virtual import UNKNOWN, parse_directory
from proxy.gate.request import Request
from proxy.upstream.session import Lost, UpstreamSession

from .borrower import Loan
from .deaths import outlive
from .visitor import Visitor

NOT_KNOWN = frozenset({500, 502})  # RFC 959 section 5.4: unrecognised, not implemented


class ServerCommands:
    """Asks the server for one client."""

    def __init__(self, visitor: Visitor, clock: Callable[[], float]) -> None:
        self._dialogue = visitor.dialogue
        self._borrower = visitor.borrower
        self._standing = visitor.standing
        self._attention = visitor.attention
        self._pinned = visitor.chronicle.pinned
        self._clock = clock

    async def forward(self, command: Command, needs: Needs) -> Reply:
        """Ask, and learn what the answer means for the client's state."""
        request = self._request()
        if command.verb in LOOKS_ONLY:
            return await _again_if_lost(lambda: self._forward(command, needs, request))
        return await self._forward(command, needs, request)

    async def _forward(self, command: Command, needs: Needs, request: Request) -> Reply:
        loan = await self._borrow(request, needs)
        try:
            session = loan.lease.session
            if command.verb == "OPTS":
                session.state.options[_option(command)[0]] = UNKNOWN
            reply = await session.ask(command.line)
            self._learn(session, command, reply)
            return reply
        finally:
            loan.end()

    async def move(self, command: Command) -> Reply:
        """CWD or CDUP: where it led is what the server says then (257), not what we would guess."""
        request = self._request()
        return await _again_if_lost(lambda: self._move(command, request))

    async def _move(self, command: Command, request: Request) -> Reply:
        loan = await self._borrow(request, Needs.PATH)
        try:
            session = loan.lease.session
            before, session.state.cwd = session.state.cwd, None  # unknown until it is answered
            reply = await session.ask(command.line)
            if not reply.is_success:
                session.state.cwd = before
            else:
                session.state.cwd = parse_directory(await session.ask(b"PWD"))
                self._dialogue.moved(session.state.cwd)
                if session.state.cwd is None:
                    self._pin(loan, command.verb)
            return reply
        finally:
            loan.end()

    async def rename(self, source: Command, target: Command) -> Reply:
        """RNFR and RNTO with nothing between them, whoever else uses the session."""
        loan = await self._borrow(self._request(), Needs.PATH)
        try:
            session = loan.lease.session
            reply = await session.ask(source.line)
            if reply.is_intermediate:
                reply = await session.ask(target.line)
            return reply
        finally:
            loan.end()

    async def pin(self, command: Command) -> Reply:
        """Ask something that may leave a state we cannot replay: the session stays ours.

        Unless the server does not know the command: then nothing can have changed.
        """
        loan = await self._borrow(self._request(), Needs.ALL)
        try:
            reply = await loan.lease.session.ask(command.line)
            if reply.code not in NOT_KNOWN:
                self._pin(loan, _words_of(command))
            return reply
        except BaseException:
            loan.lease.session.spoil()  # nobody knows what it has changed
            raise
        finally:
            loan.end()

    def _request(self) -> Request:
        """Make what a command that begins now needs of the server."""
        return Request(self._standing.source, wanted=self._dialogue.state, since=self._clock())

    async def _borrow(self, request: Request, needs: Needs) -> Loan:
        """Wait for a session with the server; who hangs up meanwhile leaves the queue at once."""
        with self._attention:
            return await self._borrower.borrow(request, needs)
        self._attention.raise_if_gone()
        raise AssertionError("only a client that is gone breaks this off")

    def _pin(self, loan: Loan, verb: str) -> None:
        if self._borrower.pin(loan, verb):
            self._pinned(loan.lease.session.id, verb)

    def _learn(self, session: UpstreamSession, command: Command, reply: Reply) -> None:
        if command.verb == "OPTS" and reply.is_success:
            word, value = _option(command)
            self._dialogue.option_set(word, value)
            session.state.options[word] = value


async def _again_if_lost(ask: Callable[[], Awaitable[Reply]]) -> Reply:
    """Ask once more when the server hung up over it: what changes no file may be asked twice."""
    deaths = 0
    while True:
        try:
            return await ask()
        except Lost as lost:
            deaths = await outlive(lost, deaths)


def _option(command: Command) -> tuple[bytes, bytes]:
    word, _, value = command.argument.strip().partition(b" ")
    return word.upper(), value


def _words_of(command: Command) -> str:
    """Name what pins: the verb, and the word that tells one SITE or OPTS from another."""
    if command.verb not in ("SITE", "OPTS"):
        return command.verb
    return f"{command.verb} {command.argument.split(b' ')[0].decode('ascii', 'replace').upper()}"
