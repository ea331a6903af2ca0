"""One transfer from command to final reply: turn, loan, exchange, words, event."""

from __future__ import annotations

from collections.abc import Callable

from proxy.events import TransferEnded
from proxy.ftp.action import Transfer
from proxy.ftp.command import Direction, Needs
from proxy.ftp.reply import Refused, Reply
from proxy.ftp.virtual import State
from proxy.net.control import ClientChannel
from proxy.shaping.ledger import Kind
from proxy.upstream.session import Lost

from .attention import Attention
from .borrower import Borrower, explain_lost
from .data_port import DataPort
from .declined import Declined
from .exchange import CLIENT_CLOSED, Exchange
from .request import Source
from .shared import Shared

KINDS = {
    Direction.DOWNLOAD: Kind.DOWNLOAD,
    Direction.UPLOAD: Kind.UPLOAD,
    Direction.LISTING: Kind.LISTING,
}
PHASES = ("queue", "prepare", "open", "data", "final")

ABORTED = Reply.of(426, "Transfer aborted.")
_OPENING = Reply.of(150, "Opening the data connection.")
_WAIT_IS_OVER = Reply.of(150, "The wait is over.")


class TransferRun:
    """Carries out one Transfer; afterwards `reply`, `result` and `moved` tell how it went.

    At most one preliminary reply is sent, and it may be long in coming: `150-` lines keep the
    client patient, and once they were sent only `150 ` ends them (clients.md).
    """

    def __init__(
        self,
        job: Transfer,
        shared: Shared,
        *,
        data_port: DataPort,
        client: ClientChannel,
        attention: Attention,
    ) -> None:
        self.job = job
        self._shared = shared
        self._client = client
        self._attention = attention
        self._is_fed = False
        self._is_announced = False  # the 150 is out
        self._marks = [shared.clock()]
        self._exchange = Exchange(
            job,
            shared.exchange_rules,
            shared.upstream_ports,
            open_client=data_port.open,
            preliminary=self._announce_data,
            flush=client.flush,
            mark=self._mark,
            clock=shared.clock,
        )
        self._data_port = data_port
        self._upstream_session: int | None = None
        self.result = "aborted"
        self.reply = ABORTED
        self.was_declined = False
        self.ends_session = False

    @property
    def moved(self) -> int:
        """Bytes handed to the receiving side."""
        return self._exchange.moved

    @property
    def may_lose_client(self) -> bool:
        """Tell whether the client's part is done: its leaving changes nothing any more."""
        return self._exchange.is_delivered

    async def run(
        self,
        borrower: Borrower,
        source: Source,
        wanted: State,
        explain: Callable[[Declined, bool], Reply],
    ) -> None:
        """Do it all but the final reply, which is the caller's to send."""
        try:
            with self._attention:
                await self._borrow_and_exchange(borrower, source, wanted)
        except Declined as declined:
            if len(self._marks) == 1:
                self._mark()  # all its time went into waiting
            self.was_declined = True
            self.ends_session = declined.ends_session
            self.result = declined.reason.value
            self.reply = explain(declined, self._is_announced or self._is_fed)
        except Refused as refused:
            self.result = "refused by server"
            self.reply = refused.reply
        self._end_feeding()
        self.ends_session = self.ends_session or self.reply.code == 421

    def told(self, session: str, source: Source, user: str) -> TransferEnded:
        """Make the event of this transfer."""
        gaps = [b - a for a, b in zip(self._marks, self._marks[1:], strict=False)]
        phases = dict(zip(PHASES, gaps, strict=False))
        return TransferEnded(
            session=session,
            upstream_session=self._upstream_session,
            source=source.host,
            user=user,
            client_class=source.class_name,
            verb=self.job.command.verb,
            path=self.job.command.argument.decode("utf-8", "backslashreplace"),
            kind=self.job.direction.value,
            result=self.result,
            code=self.reply.code,
            moved=self.moved,
            **{phase: phases.get(phase, 0.0) for phase in PHASES},
        )

    async def _borrow_and_exchange(self, borrower: Borrower, source: Source, wanted: State) -> None:
        for last in (False, True):
            loan = await borrower.borrow(
                source,
                wanted,
                Needs.ALL,
                kind=KINDS[self.job.direction],
                errand=self.job.command.line,
                feed=self._feed,
            )
            self._mark()
            self._upstream_session = loan.lease.session.id
            try:
                self.reply = await self._exchange.run(loan.lease.session)
            except Lost as lost:
                # It had died while idle; nothing was sent, so another one may do it.
                if last:
                    raise explain_lost(lost) from None
                continue
            finally:
                loan.end(self._exchange.ending)
            self.result = _result(self.reply)
            return

    def _mark(self) -> None:
        self._marks.append(self._shared.clock())

    def _feed(self, waited: float) -> None:
        self._is_fed = True
        self._client.write(b"150-Waiting for a turn, %.0f s so far.\r\n" % waited)

    def _announce_data(self, reply: Reply) -> None:
        if self._is_fed:
            reply = _WAIT_IS_OVER
        elif not reply.is_preliminary:
            reply = _OPENING  # the server went straight to its final reply
        self._is_announced = True
        if self.job.direction.is_down:
            # A small file is through before a client could act on its 150: one write will do.
            self._client.write_soon(reply.encode())
        else:
            self._client.write(reply.encode())

    def _end_feeding(self) -> None:
        """A wait that was fed and came to nothing: close the 150, and end as after any 150."""
        if not self._is_fed or self._is_announced:
            return
        self._client.write(_WAIT_IS_OVER.encode())
        if not self.reply.is_success and self.reply.code not in (425, 426, 451):
            self.reply = Reply.of(451, self.reply.words)
        self._data_port.open().reset()


def _result(reply: Reply) -> str:
    if reply.is_success:
        return "done"
    return "client closed data" if reply is CLIENT_CLOSED else "refused by server"
