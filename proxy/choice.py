"""Which server a client means: the first whose match fits it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

from proxy.config import NamedServer
from proxy.config.addresses import is_within
from proxy.config.servers import Match
from proxy.refusals import Declined, Reason
from proxy.session.backend import Entrance


def chooser(
    servers: Sequence[NamedServer], own_host: str
) -> Callable[[Entrance, bytes], tuple[str, bytes]]:
    """Return the function from (entrance, user) to the server's name and the user's name there.

    The nameless server is for everybody else; where clients may name hosts, it goes by `own_host`.
    The function raises Declined for a host that nobody has allowed.
    """
    # A server whose logins look like addresses is as common: without hosts an @ means nothing.
    hosts_are_named = any(server.match.host for server in servers)

    def choose(entrance: Entrance, user: bytes) -> tuple[str, bytes]:
        for server in servers:
            if (name := _name_at(server.match, entrance, user)) is not None:
                return server.name, name
        name, at, host = user.rpartition(b"@")
        if not (hosts_are_named and at):
            return "", user
        if _text(host).lower() != own_host.lower():
            raise Declined(Reason.NO_SERVER, who=_text(host))
        return "", name

    return choose


def _name_at(match: Match, entrance: Entrance, user: bytes) -> bytes | None:
    """Return the user's name for a server that fits; None: it does not."""
    if match.listen and entrance.listen not in match.listen:
        return None
    if match.redirected and not (entrance.wanted and is_within(match.redirected, entrance.wanted)):
        return None
    if match.host:
        user, _, host = user.rpartition(b"@")
        if not user or not _is_like(_text(host).lower(), match.host):
            return None
    if match.user and not _is_like(_text(user), match.user):
        return None
    return user


def _is_like(text: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")
