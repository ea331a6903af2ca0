"""The data connection with the server for one transfer: opened either way, ended exactly once.

Knows what the ledger must be told of it. Which bytes move, and when it may end, the exchange says.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable

from proxy.ftp.address import (
    Endpoint,
    format_eprt,
    format_port,
    parse_extended_passive,
    parse_passive,
    reachable,
)
from proxy.ftp.reply import Reply, ReplyError
from proxy.net.data import AcceptingEnd, ConnectingEnd, DataEnd, Stream
from proxy.net.listener import Listener, ListenerPool
from proxy.net.options import acknowledge
from proxy.net.tls import TlsFault
from proxy.refusals import Reason
from proxy.shaping.holds import Ending
from proxy.upstream.habits import Habits
from proxy.upstream.session import UpstreamSession

from .declined import Declined


class ServerData:
    """Opened by `open`, and gone when `break_off` has been called, whatever happened between.

    `ending` tells how it went; None: the server was not even tried.
    """

    def __init__(
        self,
        ports: ListenerPool,
        *,
        is_active: bool,
        habits: Habits | None,
        clock: Callable[[], float],
    ) -> None:
        self._ports = ports
        self._is_active = is_active
        self._habits = habits
        self._clock = clock
        self._end: DataEnd | None = None
        self._offered: Listener | None = None
        self._session: UpstreamSession | None = None
        self.ending: Ending | None = None
        self.met_silence = False  # nobody answered for as long as we are patient

    # Opening.

    async def open(self, session: UpstreamSession) -> Future[None]:
        """Agree with the server on an address; return what resolves once it is connected."""
        self._session = session
        self._end = await (self._offer(session) if self._is_active else self._connect(session))
        return self._end.opened

    async def wait(self, patience: float) -> Stream:
        """Return the connected socket; raise OSError when there will be none."""
        assert self._end is not None
        try:
            return await self._end.wait(patience)
        except TimeoutError:
            self.met_silence = True
            raise
        except TlsFault:
            assert self._session is not None
            self._session.is_tainted = True  # another one may have a TLS session that it resumes
            raise

    async def _connect(self, session: UpstreamSession) -> DataEnd:
        is_ipv6 = ":" in session.host
        reply = await self._timed_ask(session, b"EPSV" if is_ipv6 else b"PASV")
        try:
            if is_ipv6:
                endpoint = Endpoint(session.host, parse_extended_passive(reply))
            else:
                told = parse_passive(reply)
                endpoint = Endpoint(reachable(told.host, session.host), told.port)
        except ReplyError:
            raise Declined(Reason.UPSTREAM_DATA, words=reply.words) from None
        self.ending = Ending.RESET  # unless it ends in peace
        return ConnectingEnd(endpoint.host, endpoint.port, session.local_host, session.data_wire())

    async def _offer(self, session: UpstreamSession) -> DataEnd:
        listener = self._offered = self._ports.lend(session.local_host, session.host)
        if listener is None:
            retry = self._ports.next_free(session.local_host)
            raise Declined(
                Reason.UPSTREAM_PORTS,
                used=self._ports.lent,
                limit=self._ports.size,
                retry=retry,
            )
        endpoint = Endpoint(listener.host, listener.port)
        if endpoint.is_ipv6:
            line = b"EPRT " + format_eprt(endpoint)
        else:
            line = b"PORT " + format_port(endpoint)
        reply = await self._timed_ask(session, line)
        if not reply.is_success:
            raise Declined(Reason.UPSTREAM_DATA, words=reply.words)
        self.ending = Ending.RESET
        return AcceptingEnd(listener, session.host, session.data_wire())

    async def _timed_ask(self, session: UpstreamSession, line: bytes) -> Reply:
        if self._habits is None:
            return await session.ask(line)
        started = self._clock()
        reply = await session.ask(line)
        self._habits.saw_round_trip(self._clock() - started)
        return reply

    # Ending.

    def acknowledge(self) -> None:
        """Acknowledge the server's FIN at once: vsftpd sends its 226 only then.

        In TLS answer its goodbye too: some wait for that before they send their final reply.
        """
        if self._end is not None and self._end.sock is not None:
            self._end.say_goodbye()
            acknowledge(self._end.sock)

    @property
    def goodbye(self) -> bool | None:
        """Tell of one that the server has ended whether it said close_notify; None: no TLS."""
        return self._end.goodbye if self._end is not None else None

    def mark(self, dscp: int) -> None:
        """Tell routers the class of what is sent on it."""
        assert self._end is not None
        self._end.mark(dscp)

    def finish_writing(self) -> None:
        """Send FIN and go on reading."""
        assert self._end is not None
        self._end.finish_writing()

    def finish(self) -> None:
        """End in peace."""
        assert self._end is not None
        self._end.finish()
        self.ending = Ending.FIN

    def reset(self) -> None:
        """End by RST what the server has already ended."""
        assert self._end is not None
        self._end.reset()
        self.ending = Ending.RESET

    def break_off(self) -> None:
        """End what was not ended in peace, and give back the port that was offered."""
        end = self._end
        if end is not None:
            end.look()
            if not end.was_opened:
                self.ending = self._why_unopened(end)
            end.reset()
        if self._offered is not None:
            self._ports.give_back(self._offered, used=end is not None and end.was_opened)
            self._offered = None

    def _why_unopened(self, end: DataEnd) -> Ending:
        """A refused SYN is answered by RST; silence may leave a half-open entry behind.

        Only silence that was waited for is silence: a 550 or an ABOR may come before any answer,
        and a server that was told a port does not even try after its 550.
        """
        if self.met_silence:
            return Ending.UNANSWERED
        return Ending.RESET if end.has_failed else Ending.ABANDONED
