"""Who a client is, and at which server: chosen with USER, proven with PASS or ACCT."""

from __future__ import annotations

from proxy.ftp.permissions import is_anonymous
from proxy.ftp.protection import Unprotected
from proxy.ftp.reply import Refused, Reply
from proxy.refusals import Declined
from proxy.upstream.dial import AccountWanted, LoginRefused
from proxy.upstream.identity import Credentials

from .backend import Backend, Entrance
from .login import LoginAttempts
from .shared import Shared
from .visitor import Visitor

_NO_STRANGERS = Reply.of(530, "Anonymous logins are not served here (login.anonymous).")
_LOGGED_IN = Reply.of(230, "Logged in.")


class Access:
    """The logins of one session, one after the other."""

    def __init__(
        self,
        shared: Shared,
        entrance: Entrance,
        attempts: LoginAttempts,
        visitor: Visitor,
    ) -> None:
        self._shared = shared
        self._entrance = entrance
        self._attempts = attempts
        self._dialogue = visitor.dialogue
        self._borrower = visitor.borrower
        self._standing = visitor.standing
        self._chronicle = visitor.chronicle
        self._attention = visitor.attention

    def choose_server(self) -> Backend:
        """Turn to the server of the user just named, when nothing is held of another one; raise
        Declined when there is none, Unprotected when it wants TLS first."""
        try:
            backend, user = self._shared.choose(self._entrance, self._dialogue.user)
            self._dialogue.known_as(user, backend.rules.site_harmless)
        except (Declined, Unprotected):
            self._dialogue.login_failed()
            raise
        self._borrower.turn_to(backend)
        self._chronicle.server = backend.name
        return backend

    async def log_in(self, credentials: Credentials) -> Reply:
        """Prove a login; raise Refused or Declined."""
        if is_anonymous(credentials.user) and self._shared.manners.anonymous == "deny":
            raise await self._failed(_NO_STRANGERS, self._shared.clock())
        await self._standing.log_in(credentials.user)
        check, source = self._attempts.check, self._standing.source
        check()
        asked_at = self._shared.clock()
        try:
            with self._attention:
                # Checked once more when its turn has come: others may have guessed meanwhile.
                home, facts = await self._borrower.log_in(credentials, source, check)
        except AccountWanted as wanted:
            self._dialogue.account_wanted()
            raise Refused(wanted.reply) from None
        except LoginRefused as refused:
            raise await self._failed(refused.reply, asked_at) from None
        self._attention.raise_if_gone()
        self._attempts.succeeded()
        self._dialogue.logged_in(home, facts)
        self._chronicle.logged_in()
        return _LOGGED_IN

    async def _failed(self, reply: Reply, asked_at: float) -> Refused:
        user = self._chronicle.user
        self._dialogue.login_failed()
        await self._attempts.failed(user, reply, asked_at)
        return Refused(reply)
