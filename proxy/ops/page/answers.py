"""The API's answers: each section of a snapshot as JSON, written once however many ask for it.

A thousand sessions are ten milliseconds of writing, in which nobody's bytes move: a wall of screens
that show the status page must not cost the clients more than one screen does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..snapshot import Snapshot

# Of a snapshot's fields by their names: it may be one of ours, or have come as JSON.
SECTIONS: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
    "status": lambda seen: seen,
    "sessions": lambda seen: {"total": seen["sessions_total"], "sessions": seen["sessions"]},
    "upstream": lambda seen: {
        "server": seen["upstream"],
        "limit": seen["upstream_limit"],
        "elsewhere": seen["upstream_elsewhere"],
        "sessions": seen["upstream_sessions"],
        "trouble": seen["trouble"],
        **_worth_telling(seen, "machines"),
    },
    "budget": lambda seen: {
        "budgets": seen["budgets"],
        **_worth_telling(seen, "store_new_for", "store_lost"),
    },
    "queue": lambda seen: seen["queue"],
    "classes": lambda seen: {"classes": seen["classes"]},
    "refusals": lambda seen: {"refusals": seen["refusals"]},
}


def _worth_telling(seen: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: seen[name] for name in names if seen.get(name)}


class Answers:
    """Writes them, and keeps those of the last snapshot."""

    def __init__(self) -> None:
        self._of: Snapshot | None = None
        self._written: dict[str, bytes] = {}

    def about(self, section: str, seen: Snapshot) -> bytes:
        """Return what a section says of a snapshot; KeyError for one that does not exist."""
        chosen = SECTIONS[section]
        if seen is not self._of:
            self._of, self._written = seen, {}
        if section not in self._written:
            self._written[section] = as_json(chosen(_fields(seen)))
        return self._written[section]


def as_json(told: object) -> bytes:
    """Write what is told, whatever of it are values of ours."""
    return json.dumps(told, default=_fields, separators=(",", ":")).encode() + b"\n"


def _fields(value: Any) -> dict[str, Any]:
    told = {name: getattr(value, name) for name in value.__slots__}
    # Only where there are several is there a name to tell, or which of them is used; and only a
    # new store is worth a word.
    for key, nothing in (("server", ""), ("machines", ()), ("store_new_for", 0.0)):
        if told.get(key) == nothing:
            del told[key]
    return told
