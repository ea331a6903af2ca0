"""The data connection with the server for one transfer: opened either way, ended exactly once.

Knows what the ledger must be told of it. Which bytes move, and when it may end, the exchange says.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable
from contextlib import AbstractContextManager

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
from proxy.refusals import Declined, Reason
from proxy.shaping.holds import Ending
from proxy.upstream.habits import Habits
from proxy.upstream.reach import TRIAL, Reach
from proxy.upstream.session import HUNG, UpstreamSession

from .healing import Broken


class Unreached(Exception):
    """The server could not connect to us: we shall connect to it, from now on."""


class ServerData:
    """Opened by `open`, and gone when `break_off` has been called, whatever happened between.

    `ending` tells how it went; None: the server was not even tried.
    """

    def __init__(
        self,
        ports: ListenerPool,
        *,
        reach: Reach,
        down: bool,
        connect: float,
        habits: Habits | None,
        clock: Callable[[], float],
    ) -> None:
        self._ports = ports
        self._reach = reach
        self.down = down
        self._connect = connect
        self._habits = habits
        self._clock = clock
        self._end: DataEnd | None = None
        self._offered: Listener | None = None
        self._session: UpstreamSession | None = None
        self.ending: Ending | None = None
        self._met_silence = False
        self._asked_at = 0.0

    # Opening.

    def request(self, session: UpstreamSession) -> bytes:
        """Return the command that asks the server for an address, or tells it one of ours."""
        self._session = session
        self._asked_at = self._clock()
        if self._is_active(session):
            return self._offer(session)
        return b"EPSV" if ":" in session.host else b"PASV"

    def agree(self, session: UpstreamSession, answer: Reply) -> None:
        """Begin to connect, if we are to; raise Declined where the server does not agree."""
        if self._habits is not None:
            self._habits.saw_round_trip(self._clock() - self._asked_at)
        if not self.is_offered:
            self._end = self._dial(session, answer)
            self.ending = Ending.RESET  # unless it ends in peace
        elif not answer.is_success:
            assert self._end is not None
            self._end.reset()
            self._end = self.ending = None  # it has not even tried
            raise Declined(Reason.UPSTREAM_DATA, words=answer.words, setting="")

    def saves_time(self, session: UpstreamSession) -> bool:
        """Tell whether commands may be sent in one write, and are worth it."""
        return self._reach.saves_time(session.round_trip)

    @property
    def is_offered(self) -> bool:
        """Tell whether the server is to connect to us."""
        return self._offered is not None

    @property
    def opened(self) -> Future[None]:
        """What resolves once it is connected."""
        assert self._end is not None
        return self._end.opened

    async def wait(self) -> Stream:
        """Return the connected socket; raise OSError when there will be none."""
        assert self._end is not None
        try:
            return await self._end.wait(self.patience)
        except TimeoutError:
            self.was_silent()
            raise
        except TlsFault:
            assert self._session is not None
            self._session.spoil()  # another one may have a TLS session that it resumes
            raise

    @property
    def patience(self) -> float:
        """How long it may take to open. Seconds."""
        return min(self._connect, TRIAL) if self.is_on_trial else self._connect

    @property
    def is_on_trial(self) -> bool:
        """Tell whether it fell to the server to connect, it has not, and we may fall back."""
        if not (self.is_offered and self._reach.may_fall_back):
            return False
        return self._end is None or not self._end.was_opened

    def unreached(self) -> Unreached:
        """Return what tells that the trial failed; from now on it falls to us to connect."""
        self._reach.failed()
        return Unreached()

    def was_silent(self) -> None:
        """Nobody answered for as long as we are patient."""
        # A server that cannot reach us bans nobody.
        self._met_silence = not self.is_on_trial

    def _is_active(self, session: UpstreamSession) -> bool:
        if not self._reach.prefers_active(session.round_trip, down=self.down):
            return False
        return not self._reach.may_fall_back or self._lend(session) is not None

    def _lend(self, session: UpstreamSession) -> Listener | None:
        if self._offered is None:
            try:
                self._offered = self._ports.lend(session.local_host, session.host)
            except OSError as problem:
                raise Declined.for_want_of_data(Reason.UPSTREAM_PORTS, problem) from None
        return self._offered

    def _offer(self, session: UpstreamSession) -> bytes:
        listener = self._lend(session)
        if listener is None:
            raise Declined(
                Reason.UPSTREAM_PORTS,
                used=self._ports.busy(session.local_host),
                limit=self._ports.size,
                retry=self._ports.next_free(session.local_host),
            )
        self.ending = Ending.RESET  # unless it ends in peace
        self._end = AcceptingEnd(listener, session.host, session.data_wire())
        endpoint = Endpoint(listener.host, listener.port)
        if endpoint.is_ipv6:
            return b"EPRT " + format_eprt(endpoint)
        return b"PORT " + format_port(endpoint)

    def _dial(self, session: UpstreamSession, answer: Reply) -> DataEnd:
        try:
            if ":" in session.host:
                endpoint = Endpoint(session.host, parse_extended_passive(answer))
            else:
                told = parse_passive(answer)
                endpoint = Endpoint(reachable(told.host, session.host), told.port)
        except ReplyError:
            raise Declined(Reason.UPSTREAM_DATA, words=answer.words, setting="") from None
        return ConnectingEnd(endpoint.host, endpoint.port, session.local_host, session.data_wire())

    # While data moves.

    def has_vanished(self) -> bool:
        """Tell whether the server is heard no more: its control connection is lost in silence, or
        it answers nobody, and a download can be had elsewhere."""
        session = self._session
        if session is None:
            return False
        return session.fell_silent or (self.down and session.is_forsaken)

    def why_stalled(self, limit: float) -> Declined:
        """Explain that no byte has moved, for `limit` seconds unless the server has vanished."""
        if self.has_vanished():
            assert self._session is not None
            return Broken(Reason.UPSTREAM_LOST, words=str(self._session.channel.fault or HUNG))
        return Declined(Reason.STALLED, limit=round(limit))

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

    @property
    def resumed(self) -> bool | None:
        """Tell whether its TLS resumed that of the control connection; None: none was agreed on."""
        return self._end.resumed if self._end is not None else None

    def watching_end(self, call: Callable[[], None]) -> AbstractContextManager[None]:
        """Call once the server ends the connection, on which it is to send nothing."""
        assert self._end is not None
        return self._end.watching_end(call)

    @property
    def may_lack(self) -> bool:
        """Tell whether the server may lack some of what was sent to it."""
        assert self._end is not None
        return self._end.may_lack

    @property
    def lacks(self) -> bool:
        """Tell whether it has not acknowledged all: once it has ended, it never will."""
        assert self._end is not None
        return self._end.lacks

    def mark(self, dscp: int) -> None:
        """Tell routers the class of what is sent on it."""
        assert self._end is not None
        self._end.mark(dscp)

    def finish_writing(self) -> None:
        """Send FIN and go on reading; raise OSError where the server has reset the connection."""
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
        if self._met_silence:
            return Ending.UNANSWERED
        return Ending.RESET if end.has_failed else Ending.ABANDONED
