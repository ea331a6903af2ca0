"""Asks the running ftpweir, at its `status` address, what it knows: budget, ban, refusals, trouble.

An answer of anybody else, or of one that does not know the server, or none, is no answer: then the
rest must do.
"""

from __future__ import annotations

import http.client
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from proxy.config import Status
from proxy.ops.snapshot import ONLY_BUDGET

from .seen import RefusedFor, Running

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_MOST = 4 << 20  # bytes of an answer
_LATELY = 3600.0  # seconds
_WAIT = 3.0


def ask_running(
    status: Status | None,
    *,
    server: str = "",
    budget: str = ONLY_BUDGET,
    patience: float = _WAIT,
) -> Running | None:
    """Return what it says of that server; None: nobody answers as an ftpweir that has it does."""
    if status is None:
        return None
    host = _EVERYWHERE.get(status.address.host, status.address.host)
    headers = {"Authorization": f"Bearer {status.token}"} if status.token else {}
    try:
        with closing(http.client.HTTPConnection(host, status.address.port, patience)) as line:
            budgets, upstream, refusals = (
                _get(line, f"/api/{section}", headers)
                for section in ("budget", "upstream", "refusals")
            )
        (own,) = (one for one in budgets["budgets"] if one["name"] == budget)
        return Running(
            address=str(status.address),
            used=int(own["open"]) + int(own["cooling"]),
            limit=int(own["limit"]),
            next_slot=float(own["next_slot"]) if own["next_slot"] is not None else None,
            banned_for=float(own["banned_for"]),
            sessions=sum(one["budget"] == budget for one in upstream["sessions"]),
            trouble=_trouble(upstream["trouble"], server),
            refusals=_counted(refusals["refusals"]),
            sessions_elsewhere=int(own["sessions_elsewhere"]),
            store_new_for=float(budgets.get("store_new_for", 0.0)),
            undercut=tuple(_undercut(own)),
        )
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
        return None


def _get(line: http.client.HTTPConnection, path: str, headers: Mapping[str, str]) -> Any:
    line.request("GET", path, headers=dict(headers))
    answer = line.getresponse()
    body = answer.read(_MOST)
    if answer.status != http.HTTPStatus.OK:
        raise ValueError(answer.status)
    return json.loads(body)


def _undercut(own: Mapping[str, Any]) -> Iterator[str]:
    if own["is_lowered"]:
        yield f"budget: another one goes by {own['limit']}, this one by {own['configured']}"
    if (limit := own["sessions_limit"]) < (configured := own["sessions_configured"]):
        yield f"upstream.sessions: another one goes by {limit}, this one by {configured}"


def _trouble(told: Any, server: str) -> str:
    """Return what keeps it from that server now."""
    if not told or told["is_over"] or told.get("server", "") != server:
        return ""
    return _words(told["words"])


def _counted(refusals: list[dict[str, Any]]) -> tuple[RefusedFor, ...]:
    """Count the refusals of the last hour by reason; they come with the latest first."""
    recent = [one for one in refusals if time.time() - float(one["at"]) < _LATELY]
    counts = Counter(_words(one["reason"]) for one in recent)
    latest = {_words(one["reason"]): _words(one["sentence"]) for one in reversed(recent)}
    return tuple(RefusedFor(reason, n, latest[reason]) for reason, n in counts.most_common())


def _words(text: object) -> str:
    return "".join(one if one.isprintable() else "?" for one in str(text))[:500]
