"""One client's access to the server: proves its login, borrows sessions, keeps one when it must.

With `pooling: transfer` a session is borrowed for one command or transfer; with `pooling: session`,
or once the client is pinned, it is kept until the client leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from proxy.ftp.command import Needs
from proxy.ftp.facts import ServerFacts
from proxy.ftp.reply import Refused
from proxy.ftp.virtual import State
from proxy.gate.request import Permit, Request, Source
from proxy.refusals import Declined, Reason
from proxy.shaping.holds import Ending
from proxy.upstream.dial import Busy, DialError, LoginRefused
from proxy.upstream.due import Due
from proxy.upstream.egress import Egress
from proxy.upstream.identity import Credentials, LoginKey
from proxy.upstream.lease import Lease
from proxy.upstream.session import Lost, UpstreamSession
from proxy.upstream.troubles import FRESH

from .backend import Backend
from .deaths import outlive


@dataclass(frozen=True, slots=True)
class Kept:
    """The session that a client keeps for itself, and the way to it, which its transfers take."""

    lease: Lease
    egress: Egress


class Loan:
    """What one command works with: a lease in the right state, and for a transfer its slot."""

    def __init__(self, lease: Lease, egress: Egress, permit: Permit | None, *, keep: bool) -> None:
        self.lease = lease
        self.egress = egress
        self.permit = permit
        self.keep = keep

    def hand_on(self) -> UpstreamSession | Due:
        """Only a final reply is missing: others may go on; return who will tell it."""
        return self.lease.session if self.keep else self.lease.hand_on()

    def end(self, ending: Ending | None = None) -> None:
        """Give everything back; `ending`: how the data connection with the server ended, which
        must be gone by now, for its slot starts to cool. None: there was none."""
        try:
            if self.permit is not None:
                self.permit.settle(ending)
        finally:
            if not self.keep:
                self.lease.release()


class Borrower:
    """Borrows sessions with the server for one client."""

    def __init__(self, backend: Backend, *, clock: Callable[[], float]) -> None:
        self.turn_to(backend)
        self._clock = clock
        self._credentials: Credentials | None = None
        self._key: LoginKey | None = None
        self._kept: Kept | None = None
        self.pinned_by = ""

    def turn_to(self, backend: Backend) -> None:
        """Borrow from this server from now on; nothing of another one's is held."""
        self._gate = backend.gate
        self._always_keeps = backend.rules.keeps_session

    @property
    def key(self) -> LoginKey | None:
        """Who the client is logged in as; None: as nobody, or with a session of its own."""
        return None if self._kept is not None else self._key

    @property
    def kept_session(self) -> int | None:
        """The number of the session with the server that this client keeps."""
        return self._kept.lease.session.id if self._kept is not None else None

    async def log_in(
        self, credentials: Credentials, source: Source, check: Callable[[], None]
    ) -> tuple[bytes | None, ServerFacts]:
        """Prove the login; return the home directory and what the server says of itself.

        Raise LoginRefused when the server says no, Declined when it could not be asked, or when
        `check` says so in the moment before.
        """
        self.leave()
        key = credentials.key()
        request = Request(
            source,
            key=key,
            is_login=True,
            proof_serves=not self._always_keeps,
            since=self._clock(),
        )
        lease, permit = await self._lease(request, credentials, check)
        self._credentials, self._key = credentials, key
        if lease is None:
            assert permit.proof is not None
            home = permit.proof.home
        else:
            home = lease.session.home
            if self._always_keeps:
                self._kept = Kept(lease, permit.egress)
            else:
                lease.release()
        return home, permit.egress.pool.facts or ServerFacts()

    async def borrow(self, request: Request, needs: Needs) -> Loan:
        """Lend a session in which the wanted state is true; raise Declined or Refused.

        What dies before a command of the client's was sent is replaced without a word.
        """
        assert request.wanted is not None
        deaths = 0
        while True:
            loan = await self._loan(request)
            try:
                refusal = await loan.lease.restore(request.wanted, needs)
            except Lost as lost:
                loan.end()
                self._drop_kept(lost.words)
                deaths = await outlive(lost, deaths)
                continue
            except BaseException:
                loan.end()
                raise
            if refusal is not None:
                loan.end()
                raise Refused(refusal)
            return loan

    def pin(self, loan: Loan, verb: str) -> bool:
        """Keep this very session from now on; True when it was not kept before."""
        first = not self.pinned_by
        self.pinned_by = self.pinned_by or verb
        loan.keep = True
        loan.lease.session.spoil()
        self._kept = Kept(loan.lease, loan.egress)
        return first

    def renew(self, wanted: State) -> bool:
        """Let the next loan be of another session; False where it must be the very same."""
        if self._kept is not None and (self.pinned_by or wanted.cwd is None):
            return False
        self._drop_kept()
        return True

    def leave(self) -> None:
        """Give back what is kept, and forget the login."""
        self._release()
        self.pinned_by = ""
        self._credentials = self._key = None

    def _release(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.lease.release()

    def _drop_kept(self, words: str = "") -> None:
        """The kept session is dead; so is the state that a pinned client had on it."""
        self._release()
        if self.pinned_by:
            raise Declined(Reason.UPSTREAM_LOST, words=words, ends_session=True)

    async def _loan(self, request: Request) -> Loan:
        kept = self._kept
        if kept is not None and not await kept.lease.session.settle():
            self._drop_kept()
            kept = None
        if kept is not None:
            permit = None
            if request.kind is not None:
                request.key, request.egress = None, kept.egress
                permit = await self._gate.admit(request)
            return Loan(kept.lease, kept.egress, permit, keep=True)
        assert self._credentials is not None
        request.key, request.egress = self._key, None
        try:
            lease, permit = await self._lease(request, self._credentials)
        except LoginRefused as refused:
            # Proven once, refused now: the password was changed at the server meanwhile.
            raise Declined(Reason.UPSTREAM_LOGIN, words=refused.reply.words) from None
        assert lease is not None
        # A server that will not tell its directory cannot be put back into it: stay with it.
        keep = self._always_keeps or request.wanted is None or request.wanted.cwd is None
        if keep:
            self._kept = Kept(lease, permit.egress)
        return Loan(lease, permit.egress, permit, keep=keep)

    async def _lease(
        self,
        request: Request,
        credentials: Credentials,
        check: Callable[[], None] = lambda: None,
    ) -> tuple[Lease | None, Permit]:
        """Wait for a seat and make it a lease; a busy server sends us back into the queue."""
        while True:
            if (trouble := self._gate.trouble(request)) is not None:
                await self._outlast(trouble, request)
                continue
            permit = await self._gate.admit(request)
            if permit.seat is None:
                return None, permit
            try:
                check()
            except Declined:
                permit.forgo()
                raise
            try:
                return await permit.egress.pool.ready(permit.seat, credentials), permit
            except Busy as busy:
                permit.settle(None)
                if self._clock() >= self._gate.deadline(request):
                    raise busy.declined() from None
            except DialError as problem:
                permit.settle(None)
                if not self._gate.fleet.is_left(permit.egress):
                    await self._outlast(problem, request)
            except BaseException:
                permit.settle(None)
                raise

    async def _outlast(self, problem: DialError, request: Request) -> None:
        """Wait a moment for a server that may be restarting; raise Declined for any other."""
        if not problem.may_pass or self._clock() + FRESH > self._gate.deadline(request):
            raise problem.declined() from None
        await asyncio.sleep(FRESH)
