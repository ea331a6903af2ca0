"""The server's last word on an upload, and who may have the session while it is awaited.

A server that ends the data connection after we have ended ours has read all there is: only its
final reply is missing, and over a long way that is a round trip. One that ends it before it has got
all lacks something, and may never say so: pyftpdlib closes what was reset before it has read it,
without a word (measured). Decides nothing of what it means.
"""

from __future__ import annotations

from collections.abc import Callable

from proxy.ftp.reply import Reply
from proxy.net.control import Disturbed
from proxy.refusals import Reason
from proxy.upstream.due import Due
from proxy.upstream.session import Silent, UpstreamSession

from .healing import Broken
from .rules import ExchangeRules
from .server_data import ServerData

LAST_WORDS = 2.0  # seconds a server has to explain why it closed a data connection early


async def last_word(
    session: UpstreamSession,
    server: ServerData,
    final: Reply | None,
    rules: ExchangeRules,
    hand_on: Callable[[], UpstreamSession | Due] | None,
) -> tuple[Reply, bool]:
    """Return the final reply, and whether the server may lack some of the upload all the same.

    With `hand_on` the next transfer may have the session as soon as the server has read it all; not
    in TLS, whose FIN is not all that the server still says there. Raise Broken where it has ended
    the data connection without having got all, and does not say why.
    """
    patience = rules.final
    if session.tls or not rules.reach.order.is_worth(session.round_trip):
        hand_on = None
    if final is None and hand_on is None:
        # Nearly all say it by then: it is not worth watching the data connection for them.
        final = await _word_within(session, min(LAST_WORDS, patience))
        patience = max(0.0, patience - LAST_WORDS)
    if final is None and not session.tls:
        try:
            with server.watching_end(lambda: session.channel.disturb(OSError("ended"))):
                final = await session.final(patience)
        except Disturbed:
            if server.lacks:
                return await explanation(session), True
            if hand_on is not None and not server.may_lack:
                return await hand_on().final(patience), False
    return final or await session.final(patience), server.may_lack


async def explanation(session: UpstreamSession) -> Reply:
    """Return what the server says of the data connection that it has ended early; raise Broken
    where it does not say."""
    final = await _word_within(session, LAST_WORDS)
    if final is None:
        raise Broken(Reason.UPSTREAM_DATA_LOST)
    return final


async def _word_within(session: UpstreamSession, patience: float) -> Reply | None:
    try:
        return await session.final(patience)
    except Silent:
        return None
