"""The server's last word on an upload, and who may have the session while it is awaited.

A server that ends the data connection after we have ended ours has read all there is: only its
final reply is missing, and over a long way that is a round trip. Decides nothing of what it means.
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
    in TLS, whose FIN is not all that the server still says there.
    """
    is_worth = rules.reach.order.is_worth(session.round_trip)
    if final is None and hand_on is not None and is_worth and not session.tls:
        try:
            with server.watching_end(lambda: session.channel.disturb(OSError("ended"))):
                final = await session.final(rules.final)
        except Disturbed:
            if not server.may_lack:
                return await hand_on().final(rules.final), False
    return final or await session.final(rules.final), server.may_lack


async def explanation(session: UpstreamSession) -> Reply:
    """Return what the server says of the data connection that it has ended early; raise Broken
    where it does not say."""
    try:
        return await session.final(LAST_WORDS)
    except Silent:
        raise Broken(Reason.UPSTREAM_DATA_LOST) from None
