"""Opens and logs in control connections; tells a busy server from a wrong password."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass

from proxy.ftp.facts import ServerFacts
from proxy.ftp.reply import Reply
from proxy.ftp.virtual import parse_directory
from proxy.net.options import give_up_after, probe_within
from proxy.net.server_channel import ServerChannel
from proxy.refusals import NO_DESCRIPTOR, Declined, Reason

from .identity import Credentials
from .server_tls import NoTls, ServerTls
from .session import Haste, Lost, Nonsense, Silent, UpstreamSession

# The many ways in which servers say "too many", some with the code of a wrong password (530).
_BUSY = re.compile(
    r"too many|maximum (number|login)|max(imum)? .{0,30}(connection|client|user|session)|"
    r"(connection|client|user|session)s? .{0,20}(limit|exceeded|reached)|"
    r"limit .{0,30}(connection|client|user|session)|no more (connection|user)|"
    r"number of (connection|client|user)|overloaded|"
    r"server (is )?(busy|full)|"
    r"already (logged in|connected)|connections? from (your|this)",
    re.IGNORECASE,
)
# Who sends such a login again only brings nearer the ban of the address that all scripts share.
_WRONG = re.compile(r"incorrect|invalid|wrong|password|attempts|failures", re.IGNORECASE)
_LATER = re.compile(r"try (again )?(back )?later", re.IGNORECASE)


class DialError(Exception):
    """No session with the server could be had; `reason` is the refusal that explains it.

    `setting` names the limit that was met, where it is not the one of the refusal table.
    """

    def __init__(self, reason: Reason, words: str, setting: str | None = None) -> None:
        super().__init__(words)
        self.reason = reason
        self.words = words
        self.setting = setting
        self.is_outage = reason is Reason.UPSTREAM_DOWN  # a server that restarts looks like this
        self.may_pass = False  # it may restart just now
        self.is_of_login = False  # the server is there: others may fare better

    def declined(self, retry: float | None = None) -> Declined:
        """Make the refusal of who hoped for a session; `retry`: seconds until one may be had."""
        return Declined(self.reason, words=self.words, setting=self.setting, retry=retry)


class Busy(DialError):
    """The server's own limit is met: it would take us later."""

    def __init__(self, words: str) -> None:
        super().__init__(Reason.UPSTREAM_REFUSED, words)


class TurnedAway(DialError):
    """The server greets with a no that names no limit: who asks again hears the same."""

    def __init__(self, words: str) -> None:
        super().__init__(Reason.UPSTREAM_REFUSED, words)
        self.is_outage = True


class LoginRefused(Exception):
    """The server does not take this login; `reply` is what it said."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.words)
        self.reply = reply


class AccountWanted(LoginRefused):
    """The server wants ACCT (332)."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait for each step."""

    connect: float
    login: float
    reply: float
    hurried: float = 1.5  # for a sign of life, where another server would do
    hung: float = 10.0  # for its greeting, there


class Dialer:
    """Opens sessions with one server, and learns once what the server says of itself."""

    def __init__(
        self,
        host: str,
        port: int,
        patience: Patience,
        source: str | None = None,
        tls: ServerTls | None = None,
        is_hurried: Callable[[], bool] = lambda: False,
    ) -> None:
        self.host = host
        self.port = port
        self.facts: ServerFacts | None = None
        self.replies = [0] * 10  # of all its sessions, by the first digit of the code
        self._patience = patience
        self._source = source
        self._tls = tls
        self.is_hurried = is_hurried

    def follow(self, before: Dialer, *, is_same: bool) -> None:
        """Take over what another one has counted, and of the same server what it has learned."""
        self.replies = before.replies
        if is_same:
            self.facts = before.facts

    async def connect(self, now: float) -> UpstreamSession:
        """Connect, no more; raise DialError."""
        loop = asyncio.get_running_loop()
        patience, haste = self._patience.connect, None
        if self.is_hurried():
            haste = Haste(min(patience, self._patience.hurried), patience)
            patience = haste.command
        try:
            async with asyncio.timeout(patience):
                # One address for one attempt: each SYN may cost a slot of the budget.
                found = await loop.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
                family, _, _, _, address = found[0]
                transport, channel = await loop.create_connection(
                    ServerChannel,
                    str(address[0]),
                    self.port,
                    family=family,
                    local_addr=(self._source, 0) if self._source else None,
                )
        except TimeoutError:
            words = f"no answer from {self.host} within {patience:g} s"
            raise DialError(Reason.UPSTREAM_UNREACHABLE, words) from None
        except ConnectionRefusedError:
            words = f"{self.host}:{self.port} refuses connections"
            raise DialError(Reason.UPSTREAM_DOWN, words) from None
        except OSError as problem:
            words = f"{self.host}: {problem.strerror or problem}"
            is_ours = problem.errno in NO_DESCRIPTOR
            reason = Reason.DESCRIPTORS if is_ours else Reason.UPSTREAM_UNREACHABLE
            raise DialError(reason, words) from None
        # What a firewall has forgotten swallows commands without a word: it is lost so much sooner
        # than a reply would be overdue, and another session can be asked unseen.
        if not transport.is_closing():  # the server may have reset it before we could look
            sock = transport.get_extra_info("socket")
            give_up_after(sock, patience)
            probe_within(sock, self._patience.connect)
        if self._tls is not None and self._tls.is_implicit:
            self._tls.begin(channel)
        return UpstreamSession(channel, self._patience.reply, now, self.replies, haste)

    async def log_in(self, session: UpstreamSession, credentials: Credentials) -> None:
        """Log in and learn the home directory; raise LoginRefused, Busy or DialError."""
        await self.greeting(session)
        try:
            reply = await session.ask(b"USER " + credentials.user, self._patience.login)
            if reply.code == 331:
                reply = await session.ask(b"PASS " + credentials.password, self._patience.login)
            if reply.code == 332 and credentials.account is not None:
                reply = await session.ask(b"ACCT " + credentials.account, self._patience.login)
            _judge_login(reply)
            if self._tls is not None:
                await self._protect_data(session)
            await self._learn(session)
        except Silent as problem:
            error = DialError(Reason.UPSTREAM_SILENT, problem.words, "timeouts.login")
            error.is_of_login = True
            raise error from None
        except Lost as problem:
            # A 421, or a bare close in the middle of a login: both are how servers say "full".
            raise Busy(problem.words or "the server hung up during login") from None
        session.key = credentials.key()
        session.state.cwd = session.home

    async def greeting(self, session: UpstreamSession) -> None:
        """Wait to be let in; raise Busy or DialError."""
        try:
            await self._greeting(session)
        except NoTls as problem:
            raise DialError(Reason.UPSTREAM_TLS, str(problem)) from None

    async def _greeting(self, session: UpstreamSession) -> None:
        tls = self._tls
        if tls is not None and tls.is_implicit:
            await self._agreed(tls, session)
        session.owed = 1  # the greeting answers no command of ours
        patience, setting = self._patience.login, "timeouts.login"
        if self.is_hurried() and self._patience.hung < patience:
            patience, setting = self._patience.hung, "timeouts.hung"
        try:
            reply = await session.final(patience)
        except Silent:
            words = f"no greeting from {self.host} within {patience:g} s"
            raise DialError(Reason.UPSTREAM_SILENT, words, setting) from None
        except Nonsense as problem:
            # To wait does not mend a wrong port, as it does a server that is full.
            raise DialError(Reason.UPSTREAM_NO_FTP, problem.words) from None
        except Lost as problem:
            raise Busy(problem.words or "the server hung up before its greeting") from None
        if not reply.is_success:
            is_final = reply.code // 100 == 5 and not means_busy(reply)
            raise (TurnedAway if is_final else Busy)(reply.words)
        if tls is not None and not tls.is_implicit:
            await self._ask_for_tls(session)
            tls.begin(session.channel)
            await self._agreed(tls, session)

    async def _ask_for_tls(self, session: UpstreamSession) -> None:
        try:
            reply = await session.ask(b"AUTH TLS", self._patience.login)
        except Lost as problem:
            raise NoTls(f"AUTH TLS: {problem.words or 'the server hung up'}") from None
        if not reply.is_success:
            raise NoTls(f"AUTH TLS: {reply.words}")

    async def _agreed(self, tls: ServerTls, session: UpstreamSession) -> None:
        await tls.agreed(session.channel, self._patience.connect)
        if tls.shown is not None:
            session.certificate_until = tls.shown.expires_at

    async def _protect_data(self, session: UpstreamSession) -> None:
        """Behind the login, where every server takes it (RFC 4217 section 8)."""
        for line in (b"PBSZ 0", b"PROT P"):
            reply = await session.ask(line, self._patience.login)
            if not reply.is_success:
                raise DialError(Reason.UPSTREAM_TLS, f"{line.decode()}: {reply.words}")

    async def _learn(self, session: UpstreamSession) -> None:
        if self.facts is None:
            syst = await session.ask(b"SYST", self._patience.login)
            feat = await session.ask(b"FEAT", self._patience.login)
            self.facts = ServerFacts.of(feat, syst)
        session.home = parse_directory(await session.ask(b"PWD", self._patience.login))
        session.round_trip = session.channel.round_trip


def _judge_login(reply: Reply) -> None:
    if reply.is_success:
        return
    if reply.code == 332:
        raise AccountWanted(reply)
    if means_busy(reply):
        raise Busy(reply.words)
    raise LoginRefused(reply)


def means_busy(reply: Reply) -> bool:
    """Tell "too many users" from "wrong password" by the server's words.

    "Later" alone is said of both; only a 4xx means by itself that it may pass (RFC 959 section
    4.2.1).
    """
    words = reply.words
    if reply.code // 100 == 4 and _LATER.search(words):
        return True
    return _BUSY.search(words) is not None and _WRONG.search(words) is None
