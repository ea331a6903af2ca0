"""When a changed key takes effect in a running proxy, and which keys differ between two files.

Tells, for `show config`, the log and the documents; app.py carries it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType

from .document import Document
from .models import Config
from .problem import Path
from .section import Section


class Effect(StrEnum):
    """From when on a new value counts."""

    AT_ONCE = "at once"
    NEXT_TRANSFER = "from the next transfer"
    NEW_SESSIONS = "for new client sessions"
    NEW_UPSTREAM = (
        "for new upstream sessions"  # idle ones are closed, lent ones when they come back
    )
    RESTART = "after a restart"


# A key without a row follows its section.
EFFECTS: Mapping[str, Effect] = MappingProxyType(
    {
        "listen": Effect.NEW_SESSIONS,
        "listen.address": Effect.AT_ONCE,
        "passive": Effect.AT_ONCE,
        "upstream": Effect.NEW_UPSTREAM,
        "upstream.sessions": Effect.AT_ONCE,
        "upstream.pooling": Effect.NEW_SESSIONS,
        "upstream.data": Effect.NEXT_TRANSFER,
        "upstream.pipelining": Effect.NEXT_TRANSFER,
        "upstream.bandwidth": Effect.NEXT_TRANSFER,
        "upstream.list_by_stat": Effect.NEXT_TRANSFER,
        "upstream.share_listings": Effect.NEXT_TRANSFER,
        "upstream.standby": Effect.RESTART,
        "upstream.spread": Effect.AT_ONCE,
        "upstream.weight": Effect.AT_ONCE,
        "upstream.source_addresses": Effect.RESTART,
        "upstream.ports": Effect.AT_ONCE,
        "upstream.session_lifetime": Effect.AT_ONCE,
        "upstream.idle_timeout": Effect.AT_ONCE,
        "upstream.login_memory": Effect.AT_ONCE,
        "upstream.site_harmless": Effect.NEW_SESSIONS,
        "budget": Effect.AT_ONCE,
        "budget.close": Effect.NEXT_TRANSFER,
        "queue": Effect.AT_ONCE,
        "servers": Effect.NEW_SESSIONS,
        "clients": Effect.NEXT_TRANSFER,
        "refusals": Effect.AT_ONCE,
        "login": Effect.AT_ONCE,
        "timeouts": Effect.NEXT_TRANSFER,
        "timeouts.login": Effect.AT_ONCE,
        "timeouts.idle": Effect.AT_ONCE,
        "timeouts.outage": Effect.AT_ONCE,
        "timeouts.hung": Effect.AT_ONCE,
        "timeouts.failback": Effect.AT_ONCE,
        "timeouts.drain": Effect.AT_ONCE,
        "timeouts.drain_lag": Effect.AT_ONCE,
        "dscp": Effect.NEXT_TRANSFER,
        "heal": Effect.NEXT_TRANSFER,
        "status": Effect.RESTART,
        "state": Effect.RESTART,
        "store": Effect.RESTART,
        "sharing": Effect.RESTART,
        "log": Effect.AT_ONCE,
        "log.audit": Effect.RESTART,
        "log.xferlog": Effect.RESTART,
    }
)


def effect_of(key: str) -> Effect:
    """Tell from when on a new value of this key counts."""
    # What a server of `servers` says itself counts as if it stood at the top.
    own = key.removeprefix("servers.")
    if own.partition(".")[0] in ("upstream", "budget", "queue"):
        key = own
    while key not in EFFECTS:
        key = key.rpartition(".")[0]
    return EFFECTS[key]


def changed_keys(old: Config, new: Config) -> tuple[str, ...]:
    """Name the keys whose values differ; a list (`listen`, `clients`) is one key."""
    return tuple(_differing(old, new, ""))


def rigid_changes(
    changed: Iterable[str],
    document: Document | None,
    *,
    settled: Mapping[str, str],
    place: Path = (),
) -> Iterator[str]:
    """Tell, each with its place, the changes that a running process cannot make.

    `settled`: keys that this one settled at its start, and why. `place`: where the keys stand.
    """
    told = (document or Document("configuration")).problem
    for key in changed:
        if key in settled:
            words = f"{settled[key]}: only a restart can change this"
        elif effect_of(key) is Effect.RESTART:
            words = "only a restart can change this: put it back, or restart"
        else:
            continue
        yield str(told((*place, *key.split(".")), words))


def _differing(old: Section, new: Section, prefix: str) -> Iterator[str]:
    for name in type(old).model_fields:
        before, after = getattr(old, name), getattr(new, name)
        if isinstance(before, Section) and type(before) is type(after):
            yield from _differing(before, after, f"{prefix}{name}.")
        elif before != after:
            yield prefix + name
