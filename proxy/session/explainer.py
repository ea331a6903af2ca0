"""Turns a Declined into the one line a client reads, with a reference that the log has too."""

from __future__ import annotations

from proxy import events
from proxy.ftp.reply import Reply
from proxy.refusals import REFUSALS, Refusal, Scope

from .declined import Declined
from .request import Source
from .shared import Shared

LISTINGS = frozenset({"LIST", "NLST", "MLSD"})
WITH_DATA = LISTINGS | {"RETR", "STOR", "APPE", "STOU", "PASV", "EPSV"}


class Explainer:
    """Words and announces the refusals of one session."""

    def __init__(self, shared: Shared, session: str) -> None:
        self._shared = shared
        self._session = session

    def explain(
        self,
        declined: Declined,
        *,
        source: Source,
        doing: str,
        user: str,
        is_logged_in: bool,
        preliminary_sent: bool,
    ) -> Reply:
        """Return the reply; `doing` is the verb that met the refusal."""
        refusal = Refusal(
            declined.reason,
            self._shared.new_ref(),
            used=declined.used,
            limit=declined.limit,
            who=declined.who,
            retry=declined.retry,
            words=declined.words,
            waited=declined.waited,
            scope=_scope(declined, is_logged_in=is_logged_in),
        )
        # RFC 959 section 5.4 gives 425 to commands with data only.
        later = self._shared.manners.transfer_code if doing in WITH_DATA else 451
        code = refusal.code(later, preliminary_sent=preliminary_sent, listing=doing in LISTINGS)
        sentence = refusal.sentence()
        self._shared.announce(
            events.Refused(
                session=self._session,
                source=source.host,
                user=user,
                client_class=source.class_name,
                reason=declined.reason.value,
                code=code,
                sentence=sentence,
                ref=refusal.ref,
            )
        )
        return Reply.of(code, sentence)


def _scope(declined: Declined, *, is_logged_in: bool) -> Scope:
    """Once logged in, a client keeps its session through anything that may pass."""
    if declined.ends_session or not is_logged_in:
        return Scope.SESSION
    return REFUSALS[declined.reason].scope
