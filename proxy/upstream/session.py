"""One control connection to the server: commands out, replies in, and whom they are owed to."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from dataclasses import dataclass

from proxy.ftp.lines import encode_line
from proxy.ftp.reply import Reply
from proxy.ftp.virtual import State
from proxy.net.fault import Ended, Fault, Why
from proxy.net.server_channel import ServerChannel
from proxy.net.tls import TlsWire

from .condition import FITNESS_MOVES, UNFINISHED_MOVES, Fitness, Unfinished
from .due import Due, ends_transfer
from .due import Lost as Lost
from .due import Nonsense as Nonsense
from .due import Silent as Silent
from .identity import LoginKey
from .moves import moved

# What vsftpd says, to whatever was asked, before a process of it dies.
_OOPS = b"500 OOPS:"
HUNG = Fault(Why.SILENT, "the server has answered nobody for long")
PROBES_DECIDE = 0.0  # no limit in seconds to what is not acknowledged
SETTLE = 5.0  # seconds an aborted command may take to send its final reply
PROMPTLY = 1.0  # the same for a transfer whose data connection was reset

NO_DATA = frozenset({425, 522})  # RFC 4217 section 10.2

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Haste:
    """Seconds until a server that acknowledges nothing is given up, where another would do."""

    command: float  # what was sent last has not been answered
    quiet: float  # nothing need be said, as while data moves: probes may get lost on the way


class UpstreamSession:
    """A control connection to the server, with what is known of its state there.

    Times are seconds of the pool's clock.
    """

    def __init__(
        self,
        channel: ServerChannel,
        reply_timeout: float,
        now: float,
        replies: list[int] | None = None,
        haste: Haste | None = None,
    ) -> None:
        self.id = next(_numbers)
        self.channel = channel
        self.key: LoginKey | None = None
        self.state = State()  # what really stands at the server
        self.home: bytes | None = None
        self.opened_at = now
        self.owed = 0  # final replies outstanding
        self.fitness = Fitness.FIT
        self.unfinished = Unfinished.NOTHING
        self.round_trip = 0.0
        self.certificate_until: float | None = None  # seconds since 1970; None: none was shown
        self._dues: deque[Due] = deque()  # to earlier holders, before anything that is owed
        self._reply_timeout = reply_timeout
        self._haste = haste
        self._borne = haste.command if haste is not None else None
        self._is_unanswered = True  # first its greeting
        self.is_forsaken = False
        self._farewell: str | None = None  # what the server said, which closes next
        self._replies = replies if replies is not None else [0] * 10  # by the code's first digit

    @property
    def host(self) -> str:
        """The server's address, as connected to."""
        return str(self.channel.peer[0])

    @property
    def local_host(self) -> str:
        """Our own address on this connection."""
        return str(self.channel.local[0])

    @property
    def tls(self) -> str:
        """The version of TLS spoken; empty: it is in clear."""
        return self.channel.tls.version if self.channel.tls is not None else ""

    def data_wire(self) -> TlsWire | None:
        """Return what protects the next data connection: TLS, where this connection has it."""
        return self.channel.tls.sibling() if self.channel.tls is not None else None

    @property
    def is_clean(self) -> bool:
        """Tell whether the next reply will belong to the next command."""
        if self.has_ended or self.unfinished is Unfinished.RESTART:
            return False
        return not self.owed and not self._dues and not self.channel.pending

    @property
    def is_fit(self) -> bool:
        """Tell whether others may have it, once nothing is owed any more."""
        return self.fitness is Fitness.FIT and not self.has_ended

    @property
    def has_ended(self) -> bool:
        """Tell whether it is of no use even to its holder: hung up, or just about to be."""
        return self._farewell is not None or self.channel.ended

    @property
    def fell_silent(self) -> bool:
        """Tell whether the server vanished without a word."""
        return self._why_ended is Why.SILENT

    @property
    def is_asked(self) -> bool:
        """Tell whether the server owes an answer, be it 150."""
        return self._is_unanswered and not self.has_ended

    def doubt(self) -> None:
        """Its server does not answer others: see soon whether it is still there, by probes."""
        self.channel.probe_at_once()
        if not self.is_asked:
            self._bear(PROBES_DECIDE)

    def forsake(self) -> None:
        """Its server has answered nobody for long: what it was asked is lost, as its connection is.

        Data that moves may go on. Who is still at the door has his own limit.
        """
        if self.key is None:
            return
        self.is_forsaken = True
        if self.is_asked or self._dues or self.channel.is_awaited:
            self.channel.give_up(HUNG)

    def trust(self) -> None:
        """Its server answers others again: what is not answered here tells nothing of it any more.

        vsftpd, for one, may never answer what it was asked while it was stopped.
        """
        self.is_forsaken = self._is_unanswered = False

    def spoil(self) -> None:
        """How it stands at the server is not known, or not replayed: let nobody else have it."""
        self._worsen(Fitness.SPOILT)

    def answered_out_of_turn(self) -> None:
        """A later command was answered first: replies are told apart no more."""
        self._worsen(Fitness.DISORDERED)

    def send(self, *lines: bytes) -> None:
        """Send commands; each will be answered by one final reply."""
        self.owed += len(lines)
        self._is_unanswered = True
        if self._haste is not None:
            self._bear(self._haste.command)
        self.channel.write(b"".join(map(encode_line, lines)))

    def send_transfer(self, *lines: bytes) -> None:
        """Send commands of which the last moves data."""
        self._leave_unfinished(Unfinished.TRANSFER)
        self.send(*lines)

    async def restart(self, offset: bytes) -> Reply:
        """Have the next transfer begin there. Broken off here, it is taken back (settle)."""
        self._leave_unfinished(Unfinished.RESTART)
        reply = await self.ask(b"REST " + offset)
        if not reply.is_intermediate:
            self._leave_unfinished(Unfinished.NOTHING)
        return reply

    async def reply(self, patience: float | None = None) -> Reply:
        """Return the next reply, preliminary (1xx) or final; raise Lost or Silent."""
        limit = self._reply_timeout if patience is None else patience
        try:
            reply = await self.channel.next(limit)
        except TimeoutError:
            raise Silent("silent", f"no reply within {limit:g} s") from None
        except Ended:
            raise self._hung_up() from None
        if not reply.is_preliminary:
            self.owed -= 1
            if not self.owed and self.unfinished is Unfinished.TRANSFER:
                self._leave_unfinished(Unfinished.NOTHING)
        if reply.is_preliminary or not self.owed:
            self._is_unanswered = False
            if self._haste is not None:
                self._bear(self._haste.quiet)
        if lost := self._note(reply):
            raise lost
        return reply

    async def ask(self, line: bytes, patience: float | None = None) -> Reply:
        """Send one command and return its final reply."""
        self.send(line)
        return await self.final(patience)

    async def final(self, patience: float | None = None) -> Reply:
        """Return the next final reply; preliminary ones, however many, put it off once at most."""
        reply = await self.reply(patience)
        if not reply.is_preliminary:
            return reply
        limit = self._reply_timeout if patience is None else patience
        try:
            async with asyncio.timeout(limit):
                while (later := await self.reply(limit)).is_preliminary:
                    pass
        except TimeoutError:
            raise Silent("silent", f"no final reply within {limit:g} s") from None
        return later

    @property
    def may_hand_on(self) -> bool:
        """Tell whether nothing but one final reply is missing, and it has not come yet."""
        return self.is_fit and self.owed == 1 and not self.channel.pending

    def hand_on(self) -> Due:
        """Keep the final reply that is owed for the present holder; what follows is another's."""
        due = Due(self._reply_timeout)
        self._dues.append(due)
        self.owed -= 1
        self._leave_unfinished(Unfinished.NOTHING)
        self.channel.watch = self._deliver
        return due

    async def settle(self) -> bool:
        """Read what abandoned commands still answer; True when the session is fit again.

        pure-ftpd and pyftpdlib never answer some transfers whose data connection was reset. ABOR
        makes them answer, but pyftpdlib may then send the old file on the next data connection:
        such a session is never used again.
        """
        if self.is_clean:
            return True
        patience = PROMPTLY if self.unfinished is Unfinished.TRANSFER else SETTLE
        try:
            async with asyncio.timeout(patience):
                while self._dues:
                    await self._dues[-1].final()
                while self.owed:
                    await self.reply()
        except (Lost, TimeoutError):
            return False
        return await self._forget_restart()

    async def _forget_restart(self) -> bool:
        """Take a REST back that no transfer followed: it must not meet the next client's."""
        if self.unfinished is Unfinished.RESTART:
            try:
                reply = await self.ask(b"REST 0", SETTLE)
            except Lost:
                return False
            if reply.is_intermediate:
                self._leave_unfinished(Unfinished.NOTHING)
        return self.is_clean

    def _bear(self, silence: float) -> None:
        """Let the server's TCP acknowledge nothing for so long."""
        if silence != self._borne:
            self._borne = silence
            self.channel.give_up_after(silence)

    def _worsen(self, fitness: Fitness) -> None:
        """Follow the table; what is as bad already, or worse, stays so."""
        if fitness in FITNESS_MOVES[self.fitness]:
            self.fitness = fitness

    def _leave_unfinished(self, what: Unfinished) -> None:
        self.unfinished = moved(UNFINISHED_MOVES, self.unfinished, what)

    def _deliver(self) -> None:
        """Settle with whom replies are due; what does not fit, and the rest, is the holder's."""
        pending = self.channel.pending
        theirs: list[Reply] = []
        while self._dues and pending:
            reply = self.channel.pop()
            if self.owed and not ends_transfer(reply):
                self.answered_out_of_turn()
                theirs.append(reply)
            elif not reply.is_preliminary:
                self._dues.popleft().settle(self._note(reply) or reply)
        pending.extendleft(reversed(theirs))
        if self.channel.ended:
            while self._dues:
                self._dues.popleft().settle(self._hung_up())
        if not self._dues:
            self.channel.watch = None

    def _note(self, reply: Reply) -> Lost | None:
        """Count the reply; tell when it was the last one."""
        self._replies[reply.code // 100] += 1
        if reply.code in NO_DATA and self.channel.tls is not None:
            # Some servers want our TLS session resumed, and do not know it for ever.
            self.spoil()
        if reply.code != 421 and (self.key is None or not reply.lines[0].startswith(_OOPS)):
            return None
        # RFC 959 section 5.4: the server closes next, whatever was asked.
        self._farewell = reply.words
        return Lost("closed", reply.words)

    def _hung_up(self) -> Lost:
        # What it said before, to other commands, is no reason.
        kind = Nonsense if self._why_ended is Why.NONSENSE else Lost
        return kind("hung up", self._farewell or str(self.channel.fault or ""))

    @property
    def _why_ended(self) -> Why | None:
        return self.channel.fault.why if self.channel.fault is not None else None
