"""One transfer from command to final reply: turn, loan, exchange, words, event."""

from __future__ import annotations

from collections.abc import Callable

from proxy.events import Result, TransferEnded
from proxy.exchange.client_data import ClientData
from proxy.exchange.delivery import CLIENT_CLOSED, CLIENT_CUT, Delivery
from proxy.exchange.download_healing import DownloadHealing
from proxy.exchange.exchange import Exchange
from proxy.exchange.forgotten import Forgotten
from proxy.exchange.healing import Broken, Healing
from proxy.exchange.listings import Content, wish
from proxy.exchange.rules import ExchangeRules
from proxy.exchange.server_data import Unreached
from proxy.exchange.upload_healing import UploadHealing
from proxy.ftp.action import Transfer
from proxy.ftp.command import Direction, Needs
from proxy.ftp.reply import Refused, Reply
from proxy.ftp.virtual import BINARY
from proxy.gate.request import Request
from proxy.net.client_channel import ClientChannel
from proxy.net.throttle import Tap
from proxy.refusals import Declined
from proxy.shaping.ledger import Kind
from proxy.upstream.session import Lost

from .backend import Backend
from .data_port import DataPort
from .deaths import explain_declined, explain_lost, outlive
from .shared import Shared
from .stopwatch import PHASES, Stopwatch
from .visitor import Visitor

KINDS = {
    Direction.DOWNLOAD: Kind.DOWNLOAD,
    Direction.UPLOAD: Kind.UPLOAD,
    Direction.LISTING: Kind.LISTING,
}
MOST_IDLE_DEATHS = 2  # sessions that turn out to be dead before anything was sent

ABORTED = Reply.of(426, "Transfer aborted.")
_OPENING = Reply.of(150, "Opening the data connection.")
_WAIT_IS_OVER = Reply.of(150, "The wait is over.")


class TransferRun:
    """Carries out one Transfer; afterwards `reply`, `result` and `moved` tell how it went.

    At most one preliminary reply is sent, and it may be long in coming: `150-` lines keep the
    client patient, and once they were sent only `150 ` ends them (docs/CLIENTS.md).
    """

    def __init__(
        self,
        job: Transfer,
        shared: Shared,
        backend: Backend,
        visitor: Visitor,
        *,
        data_port: DataPort,
        client: ClientChannel,
    ) -> None:
        self.job = job
        self._shared, self._backend = shared, backend
        self._borrower, self._attention = visitor.borrower, visitor.attention
        self._source, self._wanted = visitor.standing.source, visitor.dialogue.state
        self._client = client
        self._is_fed = False
        self._is_announced = False  # the 150 is out
        self._since = shared.clock()  # from when on its waits count
        self._watch = Stopwatch(shared.clock)
        self._data_port = data_port
        # What a listing came over; kept copies of it may serve others.
        self._listings = backend.rules.listings if job.direction is Direction.LISTING else None
        self._way = "data connection"
        self._healing = _healing(job, backend.rules.exchange)
        self._exchange: Exchange | Delivery | None = None  # while it runs
        self._moved = 0
        self._misjudged: float | None = None
        self.upstream_session: int | None = None
        self.result: str = Result.ABORTED
        self.reply = ABORTED
        self.was_declined = False
        self.ends_session = False

    @property
    def moved(self) -> int:
        """Bytes handed to the receiving side."""
        return self._exchange.moved if self._exchange is not None else self._moved

    @property
    def phase(self) -> str:
        """What it is at: one of PHASES, held to its "bandwidth", or "refused", to hear so soon."""
        if self.was_declined:
            return "refused"
        is_held = self._exchange is not None and self._exchange.is_held
        return "bandwidth" if is_held else self._watch.phase

    @property
    def may_lose_client(self) -> bool:
        """Tell whether the client's part is done: its leaving changes nothing any more."""
        return self._exchange is not None and self._exchange.is_delivered

    async def run(self, explain: Callable[[Declined, bool], Reply]) -> None:
        """Do it all but the final reply, which is the caller's to send."""
        try:
            with self._attention:
                await self._carry_out()
        except Declined as declined:
            if self._watch.phase == PHASES[0]:
                self._watch.mark()  # all its time went into waiting
            self.was_declined = True
            self.ends_session = declined.ends_session
            self.result = declined.reason
            self.reply = explain(declined, self._is_announced or self._is_fed)
        except Refused as refused:
            self.result = Result.REFUSED_BY_SERVER
            self.reply = refused.reply
        finally:
            # It calls back here. A circle would be left to the collector, which then stops
            # everybody for 70 ms every 2,500 files (measured).
            self._moved, self._exchange = self.moved, None
        self._end_feeding()
        self.ends_session = self.ends_session or self.reply.code == 421

    def told(self, session: str, user: str) -> TransferEnded:
        """Make the event of this transfer."""
        return TransferEnded(
            session=session,
            upstream_session=self.upstream_session,
            source=self._source.host,
            user=user,
            client_class=self._source.class_name,
            verb=self.job.command.verb,
            path=self.job.command.argument.decode("utf-8", "backslashreplace"),
            kind=self.job.direction.value,
            result=self.result,
            code=self.reply.code,
            moved=self.moved,
            is_ascii=self._wanted.type != BINARY,
            way=self._way,
            heals=self._healing.heals if self._healing is not None else 0,
            misjudged=self._misjudged,
            server=self._backend.name,
            **self._watch.seconds(),
        )

    async def _carry_out(self) -> None:
        asked = None
        if self._listings is not None:
            asked = wish(self._borrower.key, self._wanted, self.job)
        if self._listings is None or asked is None:
            await self._borrow_and_exchange()
            return
        served = await self._listings.serve(asked, self._follow, self._ask, self._list)
        self._way = served.way
        if served.content is not None:
            await self._deliver(served.content)

    def _request(self, kind: Kind | None) -> Request:
        return Request(
            self._source,
            kind,
            wanted=self._wanted,
            errand=self.job.command.line,
            since=self._since,
            feed=None if self._is_announced else self._feed,
        )

    async def _follow(self, other: Content) -> None:
        """Wait for what another client is fetching."""
        request = self._request(Kind.LISTING)
        request.key = self._borrower.key
        await self._backend.gate.follow(request, other)

    async def _ask(self, asks: Callable[[], None], line: bytes) -> Reply | None:
        """Ask the server over the control connection; None when it could not answer."""
        loan = await self._borrower.borrow(self._request(None), Needs.ALL)
        try:
            asks()
            return await loan.lease.session.ask(line)
        except Lost:
            return None
        finally:
            loan.end()

    async def _list(self, asks: Callable[[], None]) -> bytes | None:
        """List over a data connection; return a copy of what the client got, if it got it all."""
        await self._borrow_and_exchange(asks)
        assert isinstance(self._exchange, Exchange)
        return self._exchange.copy if self.reply.is_success else None

    async def _deliver(self, content: bytes) -> None:
        self._watch.mark()
        rules = self._backend.rules.exchange
        self._exchange = Delivery(
            content,
            rules,
            self._client_data(rules),
            preliminary=self._announce_data,
            open_tap=self._tap,
        )
        self.reply = await self._exchange.run()
        self.result = _result(self.reply)

    async def _borrow_and_exchange(self, asks: Callable[[], None] = lambda: None) -> None:
        exchange = self._exchange = self._new_exchange()
        try:
            self.reply = await self._exchange_until_done(exchange, asks)
        except Broken as broken:
            if broken.reply is None:
                raise
            self.reply = broken.reply
        finally:
            exchange.close()
            if self._healing is not None:
                self._healing.close()
        self.result = _result(self.reply)
        if self.reply.is_success:
            self._watch.finish()
            if self._healing is not None:
                self._healing.went_well(self.moved)

    async def _exchange_until_done(self, exchange: Exchange, asks: Callable[[], None]) -> Reply:
        death: Declined | None = None  # of the session before, as the client would hear it
        deaths, was_forgotten = 0, False
        kind = KINDS[self.job.direction]
        while True:
            try:
                loan = await self._borrower.borrow(self._request(kind), Needs.ALL)
            except Declined as declined:
                raise explain_declined(declined, death) from None
            self._watch.mark()
            self.upstream_session = loan.lease.session.id
            self._misjudged = loan.permit.misjudged if loan.permit is not None else None
            asks()
            try:
                return await exchange.run(loan.lease.session, self._tap, loan.hand_on)
            except Lost as lost:
                # It had died while idle: nothing of the client's command was done.
                deaths = await outlive(lost, deaths, most=MOST_IDLE_DEATHS, silence_counts=True)
                death = explain_lost(lost)
            except Forgotten:
                if was_forgotten or not self._borrower.renew(self._wanted):
                    raise
                was_forgotten = True
            except Unreached:
                pass  # we connect to it the next time
            except Broken as broken:
                if self._healing is None or not self._healing.goes_on(broken, self.moved):
                    raise
                if self._healing.gets_on:
                    self._since = self._shared.clock()
            finally:
                loan.end(exchange.ending)
            self._watch.begin_again()

    def _new_exchange(self) -> Exchange:
        rules = self._backend.rules.exchange
        return Exchange(
            self.job,
            rules,
            self._shared.upstream_ports,
            self._client_data(rules),
            preliminary=self._announce_data,
            mark=self._watch.mark,
            clock=self._shared.clock,
            healing=self._healing,
            keeps_copy=self._listings is not None,
        )

    def _client_data(self, rules: ExchangeRules) -> ClientData:
        port = self._data_port
        return ClientData(port.open, self._client.flush, port.goodbyes, rules)

    def _tap(self) -> Tap | None:
        limits = self._source.limits
        return self._backend.throttle.tap(self._source.key, limits.bandwidth, limits.weight)

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


def _healing(job: Transfer, rules: ExchangeRules) -> Healing | None:
    """Return what goes on with this transfer if it breaks; None: nothing does."""
    if job.direction.is_down:
        return DownloadHealing(job, rules.vigilance) if rules.vigilance is not None else None
    # A STOU that is sent again makes a second file.
    if rules.upload_vigilance is None or rules.replays is None or job.command.verb == "STOU":
        return None
    return UploadHealing(job, rules.upload_vigilance, rules.replays)


def _result(reply: Reply) -> Result:
    if reply.is_success:
        return Result.DONE
    if reply in (CLIENT_CLOSED, CLIENT_CUT):
        return Result.CLIENT_CLOSED
    return Result.REFUSED_BY_SERVER
