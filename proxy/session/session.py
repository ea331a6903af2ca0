"""One client, from greeting to goodbye: read a command, decide, do.

The only room where policy, server and client meet. What a command means is decided in
ftp/dialogue.py, who may go on in gate/; here it is done. Errors become replies in voice.py.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

from proxy.ftp.action import (
    Action,
    Answer,
    Close,
    DropData,
    Forward,
    Login,
    Move,
    Name,
    OpenPassive,
    Pin,
    Rename,
    Restart,
    SetActive,
    StartTls,
    Transfer,
    may_change_files,
)
from proxy.ftp.address import canonical
from proxy.ftp.command import Command, Treatment, parse_command
from proxy.ftp.dialogue import Dialogue
from proxy.ftp.lines import Malformed
from proxy.ftp.protection import Unprotected
from proxy.ftp.reply import Refused, Reply
from proxy.gate.request import Source
from proxy.net.client_channel import ClientChannel
from proxy.net.control import Disturbed
from proxy.net.fault import Ended, Fault, Why
from proxy.refusals import Declined, Reason
from proxy.upstream.identity import Credentials
from proxy.upstream.session import Lost

from .access import Access
from .attention import Attention
from .backend import Entrance
from .borrower import Borrower
from .chronicle import Chronicle, Deeds
from .client_tls import NOTHING, ClientTls, TlsFailed, TlsOffer
from .data_port import DataPort
from .deaths import explain_lost
from .login import LoginAttempts
from .parting import Goodbye, part
from .server_commands import ServerCommands
from .shared import Shared
from .standing import Standing
from .transfer import ABORTED, TransferRun
from .visitor import Visitor
from .voice import Voice

_GREETING = Reply.of(220, "ftpweir is ready.")
_NO_DATA_PORT = Reply.of(425, "Send PASV, EPSV, PORT or EPRT first.")
_MALFORMED = {
    Malformed.TOO_LONG: Reply.of(500, "This line is too long for a command."),
    Malformed.NUL: Reply.of(500, "A command holds no NUL byte."),
}


class Session:
    """One client's session; `run` is its life, and whoever runs it owns it."""

    def __init__(
        self, client: ClientChannel, shared: Shared, entrance: Entrance, offer: TlsOffer = NOTHING
    ) -> None:
        self._client = client
        self._shared = shared
        self.backend, _ = shared.choose(entrance, b"")  # until there is a name
        self.id = shared.new_ref()
        self.host = canonical(client.peer[0])
        self._local = canonical(client.local[0])
        # Some clients believe no 227 that tells another address than the one they have asked for.
        self._reached_at = entrance.wanted or self._local
        self._standing = Standing(shared, self.host)
        self.dialogue = Dialogue(
            self.host,
            is_ipv6=":" in self.host,
            site_harmless=self.backend.rules.site_harmless,
            tls=offer.terms,
            requires=self._standing.requires,
        )
        self._tls = ClientTls(offer, client, self.dialogue.protection, shared.manners.handshake)
        self._data_port = DataPort(
            shared.passive_ports, self.host, self._local, self._tls.data_wire
        )
        self.borrower = Borrower(self.backend, clock=shared.clock)
        self._chronicle = Chronicle(
            shared.announce, self.id, self.host, self._standing, self.dialogue
        )
        self._chronicle.server = self.backend.name
        self._attention = Attention(client)
        visitor = self._visitor = Visitor(
            self.dialogue, self._standing, self.borrower, self._chronicle, self._attention
        )
        attempts = LoginAttempts(shared, self.id, self.host)
        self._access = Access(shared, entrance, attempts, visitor)
        self._server = ServerCommands(visitor, shared.clock)
        self._voice = Voice(client, shared, self.dialogue, self._chronicle)
        self._task: asyncio.Task[object] | None = None
        self._is_leaving = False
        self.transfer: TransferRun | None = None
        self.started = shared.clock()

    # Life.

    async def run(self) -> None:
        """Greet, obey until the end, leave nothing behind."""
        self._task = asyncio.current_task()
        self._shared.roster.arrived(self)
        reason = "failed"
        try:
            await self._greet()
            while True:
                await self._obey_next()
        except Goodbye as goodbye:
            reason = goodbye.reason
            if reason != Reason.DRAINING.value:  # who knocks at its port now shall read its 421
                self._data_port.drop()
            await part(self._client, goodbye)
        except (TlsFailed, Ended) as end:
            reason = self._chronicle.gone(end)
        except asyncio.CancelledError:
            reason = "thrown out"
            self._voice.say(self._voice.explain(Declined(Reason.DRAINING)))
        except Exception:
            # One client's bad luck must not become everybody's: told, logged by our owner, over.
            reason = Reason.FAULT.value
            self._voice.say(self._voice.explain(Declined(Reason.FAULT)))
            raise
        finally:
            self._clear_up(reason)

    def ask_to_leave(self) -> None:
        """End with a 421 as soon as no transfer runs."""
        self._is_leaving = True
        if self.doing == "idle":
            self._client.disturb(OSError("draining"))

    def throw_out(self) -> None:
        """End now: a running transfer is cut off."""
        if self._task is not None:
            self._task.cancel()

    @property
    def source(self) -> Source:
        """Where it comes from, and what its class allows."""
        return self._standing.source

    @property
    def doing(self) -> str:
        """The verb it is at, "idle" or "greeting"."""
        return self._voice.doing

    @property
    def deeds(self) -> Deeds:
        """What it has done so far."""
        return self._chronicle.deeds

    @property
    def user(self) -> str:
        """The login name given, as text."""
        return self._chronicle.user

    async def _greet(self) -> None:
        if self._is_leaving:
            raise await self._voice.goodbye(Declined(Reason.DRAINING))
        refusal = None
        try:
            await self._standing.enter(self._client.fileno)
        except Declined as declined:
            refusal = declined
        if self.dialogue.protection.is_on:
            await self._tls.started()  # what is said is said in TLS, a refusal too
        if refusal is not None:
            raise await self._voice.goodbye(refusal)
        self._voice.say(_GREETING)

    async def _obey_next(self) -> None:
        """Read one command and see it through to its final reply."""
        line = await self._next_line()
        self._chronicle.deeds.commands += 1
        try:
            if isinstance(line, Malformed):
                raise Refused(_MALFORMED[line])
            command = parse_command(line)
            self._voice.doing = command.verb
            self._raise_if_forbidden(command)
            if command.rule.treatment is Treatment.TRANSFER and self._lacks_data_port:
                raise Refused(_NO_DATA_PORT)  # before it is decided: a REST stays for the next try
            await self._do(command, self.dialogue.decide(command))
        except Refused as refused:
            self._voice.say(refused.reply)
        except Lost as lost:
            await self._voice.decline(explain_lost(lost))
        except Unprotected as lack:
            await self._voice.decline(Declined(lack.reason, setting=lack.setting))
        except Declined as declined:
            await self._voice.decline(declined)

    def _raise_if_forbidden(self, command: Command) -> None:
        if not self.dialogue.is_logged_in:
            return
        setting, where = self._standing.forbids(command, self.dialogue.user)
        if setting is not None:
            self._chronicle.forbidden(command, setting)
            raise Refused(Reply.of(550, f"{command.verb} is not allowed here ({where})."))

    @property
    def _lacks_data_port(self) -> bool:
        return self.dialogue.is_logged_in and not self._data_port.is_set

    async def _next_line(self) -> bytes | Malformed:
        if self._client.is_full:
            await self._wait_until_read()
        self._voice.doing = "idle"
        if self._is_leaving:
            raise await self._voice.goodbye(Declined(Reason.DRAINING))
        try:
            return await self._client.next(self._shared.manners.idle)
        except TimeoutError:
            limit = round(self._shared.manners.idle)
            raise await self._voice.goodbye(Declined(Reason.IDLE, limit=limit)) from None
        except Disturbed:
            raise await self._voice.goodbye(Declined(Reason.DRAINING)) from None

    async def _wait_until_read(self) -> None:
        """Who does not read our replies is not obeyed further, and not for ever waited for."""
        try:
            async with asyncio.timeout(self._shared.manners.idle):
                await self._client.drain()
        except TimeoutError:
            raise Ended(Fault(Why.UNREAD, "does not read")) from None

    def _clear_up(self, reason: str) -> None:
        """Give back all that it has: a step that fails must not cost the others."""
        with ExitStack() as steps:  # the last one comes first
            steps.callback(self._tell_end, reason)
            steps.callback(self._client.close)
            steps.callback(self._shared.roster.left, self)
            steps.callback(self._standing.leave)
            steps.callback(self.borrower.leave)
            steps.callback(self._data_port.drop)

    def _tell_end(self, reason: str) -> None:
        duration = self._shared.clock() - self.started
        self._chronicle.ended(reason, duration, tls=self._tls.version)

    # Deeds.

    async def _do(self, command: Command, action: Action) -> None:
        try:
            await self._obey(command, action)
        finally:
            listings = self.backend.rules.listings  # by now: a reload may have come meanwhile
            if listings is not None and may_change_files(action):
                listings.changed()

    async def _obey(self, command: Command, action: Action) -> None:
        match action:
            case Answer(reply):
                self._voice.say(reply)
            case Transfer():
                await self._move_data(action)
            case Forward(forwarded, needs):
                self._tell(action, forwarded, await self._server.forward(forwarded, needs))
            case Move(moving):
                self._voice.say(await self._server.move(moving))
            case Rename(source, target):
                both = Command(target.verb, source.argument + b" -> " + target.argument)
                self._tell(action, both, await self._server.rename(source, target))
            case Pin(pinning):
                self._tell(action, pinning, await self._server.pin(pinning))
            case OpenPassive(extended):
                told = self._shared.manners.passive_address or self._reached_at
                self._voice.say(self._data_port.offer(told, extended=extended))
            case SetActive(endpoint):
                self._data_port.point_at(endpoint)
                self._voice.say(Reply.of(200, f"{command.verb} accepted."))
            case DropData(reply):
                self._data_port.drop()
                self._voice.say(reply)
            case Restart(reply):
                self._forget()
                self._voice.say(reply)
            case StartTls(reply):
                self._forget()
                await self._tls.start(reply.encode())
                self.dialogue.tls_started()
            case Name(reply):
                self._forget()
                self.backend = self._access.choose_server()
                self._voice.say(reply)
            case Login(user, password, account):
                self._voice.say(await self._access.log_in(Credentials(user, password, account)))
            case Close(reply):
                raise Goodbye("quit", reply)

    def _forget(self) -> None:
        self._data_port.drop()
        self.borrower.leave()

    def _tell(self, action: Action, command: Command, reply: Reply) -> None:
        """Pass on what the server said; what may have changed something is announced."""
        if may_change_files(action):
            self._chronicle.changed(command, reply)
        self._voice.say(reply)

    async def _move_data(self, job: Transfer) -> None:
        self._standing.renew(self.dialogue.user)
        run = self.transfer = self._attention.transfer = TransferRun(
            job,
            self._shared,
            self.backend,
            self._visitor,
            data_port=self._data_port,
            client=self._client,
        )
        try:
            if not self._attention.is_abort_heard:
                await run.run(self._voice.explain)
            if run.was_declined and not self._is_leaving:
                await asyncio.sleep(self._shared.manners.refusal_delay)
            if run.ends_session:
                raise Goodbye(run.result, run.reply)
            self._voice.say(run.reply)  # before the bookkeeping: somebody waits for it
        except asyncio.CancelledError:
            self._voice.say(ABORTED)  # thrown out: the 421 follows
            raise
        finally:
            self.transfer = self._attention.transfer = None
            self._chronicle.transfer(run.told(self.id, self.user))
        self._data_port.drop()
        self._attention.raise_if_gone()
