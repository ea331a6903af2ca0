"""Events as a running proxy announces them."""

from __future__ import annotations

import dataclasses
from typing import Any

from proxy import events

KINDS = [
    kind
    for kind in vars(events).values()
    if isinstance(kind, type) and issubclass(kind, events.Event) and not kind.__subclasses__()
]

TRANSFER = events.TransferEnded(
    session="a1b2c3",
    upstream_session=4,
    source="192.0.2.7",
    user="alice",
    client_class="nightly",
    verb="RETR",
    path="secret.txt",
    kind="download",
    result="done",
    code=226,
    moved=1000,
    is_ascii=False,
    way="data connection",
    heals=0,
    queue=0.0,
    prepare=0.01,
    open=0.02,
    data=0.3,
    final=0.04,
)
REFUSED = events.Refused(
    session="a1b2c3",
    source="192.0.2.7",
    user="alice",
    client_class="nightly",
    reason="eta_too_long",
    code=425,
    sentence="Wait would be too long (95 of 40 s, queue.max_wait); try again later [ref 7f]",
    ref="7f00aa",
)
SESSION = events.SessionEnded(
    session="a1b2c3",
    source="192.0.2.7",
    user="alice",
    client_class="nightly",
    reason="quit",
    duration=3.0,
    commands=9,
    transfers=1,
    bytes_down=1000,
    bytes_up=0,
)
OPENED = events.UpstreamOpened(upstream_session=4, user="alice", seconds=0.2)
CLOSED = events.UpstreamClosed(
    upstream_session=4, user="alice", reason="idle", duration=60.0, leases=7
)
DOWN = events.UpstreamRefused(words="Connection refused", reason="upstream_down", backoff=1.0)
BANNED = events.BanSuspected(pause=120.0, limit=190)
FAULT = events.Fault(where="serve", error="ValueError()", trace="Traceback...")


def transfer(**changes: Any) -> events.TransferEnded:
    """Return a transfer like TRANSFER, but for these fields."""
    return dataclasses.replace(TRANSFER, **changes)
