"""The log: one line a deed, console on a terminal and JSON otherwise. Secrets never come here."""

from __future__ import annotations

import dataclasses
import json
import logging
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import structlog

from proxy import events
from proxy.events import Event

from .outlet import Outlet, standard_error

Form = Callable[[str, str, Event], str]  # of a line, given its name and level

_NAMES: Final[dict[type, tuple[str, str]]] = {
    events.SessionEnded: ("session ended", "info"),
    events.TransferEnded: ("transfer ended", "info"),
    events.Refused: ("refused", "warning"),
    events.LoggedIn: ("logged in", "debug"),
    events.Changed: ("changed", "info"),
    events.Forbidden: ("forbidden", "warning"),
    events.ProxyHeaderRefused: ("proxy header refused", "warning"),
    events.LoginFailed: ("login failed", "warning"),
    events.TlsFailed: ("no TLS with client", "warning"),
    events.CertificateRefused: ("certificate refused", "error"),
    events.CertificateExpires: ("server certificate expires", "warning"),
    events.UpstreamOpened: ("upstream session opened", "info"),
    events.UpstreamClosed: ("upstream session closed", "info"),
    events.CommandsRunAhead: ("commands run ahead", "info"),
    events.UpstreamRefused: ("upstream refused a session", "warning"),
    events.ServerDown: ("server down", "error"),
    events.ServerUp: ("server up", "warning"),
    events.Pinned: ("session pinned", "warning"),
    events.ShadowWait: ("would have waited", "info"),
    events.BanSuspected: ("ban suspected", "error"),
    events.StoreLost: ("store lost", "error"),
    events.StoreBack: ("store back", "warning"),
    events.StoreNew: ("store is new", "warning"),
    events.StoreUnreadable: ("store unreadable", "error"),
    events.LimitsDiffer: ("limits differ", "warning"),
    events.Reloaded: ("reloaded", "info"),
    events.ReloadRefused: ("reload refused", "error"),
    events.Ordered: ("ordered", "warning"),
    events.DrainBegan: ("drain began", "info"),
    events.DrainEnded: ("drain ended", "info"),
    events.StateTold: ("state", "warning"),
    events.LinesLost: ("lines lost", "error"),
    events.StatusUnavailable: ("status page unavailable", "warning"),
    events.Fault: ("fault", "error"),
}
_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
# The fields of each event, and how their keys look in a line of JSON.
_KEYS: Final = {
    kind: tuple((field.name, f'"{field.name}": ') for field in dataclasses.fields(kind))
    for kind in _NAMES
}
# How JSON writes what is short and frequent; json.dumps takes twice the time for a line.
_JSON: Final[dict[type, Callable[[Any], str]]] = {
    str: json.encoder.encode_basestring_ascii,
    int: int.__repr__,
    float: "%.4f".__mod__,
    bool: {False: "false", True: "true"}.__getitem__,
}


def name_and_level(event: Event) -> tuple[str, str]:
    """Tell what the log calls an event, and how loud it is."""
    return _NAMES[type(event)]


class EventLog:
    """Writes each event as one line.

    Raises OSError for one that cannot be written; the first that can be again comes behind one
    that tells how many were lost.
    """

    def __init__(self, form: str, level: str, outlet: Outlet | None = None) -> None:
        self._outlet = outlet or standard_error()
        self._lost, self._why = 0, ""
        self.adopt(form, level)

    def adopt(self, form: str, level: str) -> None:
        """Go on in another form (auto, json, console), or from another level on."""
        self._least = _LEVELS[level]
        is_console = form == "console" or (form == "auto" and self._outlet.is_terminal)
        self._form = _console() if is_console else _json

    def __call__(self, event: Event) -> None:
        """Write the line of this event; times are rounded to a tenth of a millisecond."""
        if _LEVELS[_NAMES[type(event)][1]] < self._least:
            return  # the making of a line costs more than a small transfer's other bookkeeping
        lines = self._line(event)
        if self._lost:
            lines = self._line(events.LinesLost(self._lost, self._why)) + lines
        try:
            self._outlet.write(lines)
        except OSError as problem:
            self._lost += 1
            self._why = problem.strerror or repr(problem)
            raise
        self._lost = 0

    def _line(self, event: Event) -> str:
        return self._form(*_NAMES[type(event)], event)


def _json(name: str, level: str, event: Event) -> str:
    """Return a line for a machine. By hand: structlog takes far longer."""
    words = [
        key + _JSON.get(type(value), json.dumps)(value)
        for field, key in _KEYS[type(event)]
        if (value := getattr(event, field)) or value == 0  # 0 and False are told, "" is not
    ]
    words.append(f'"event": "{name}", "level": "{level}", "timestamp": "{_now()}"')
    return "{" + ", ".join(words) + "}\n"


def _now() -> str:
    second, nanoseconds = divmod(time.time_ns(), 10**9)
    return f"{_written(second)}.{nanoseconds // 1000:06}Z"


@lru_cache(maxsize=1)
def _written(second: int) -> str:
    """Write a second since 1970 as RFC 3339 does; thousands of lines share it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def _console() -> Form:
    """Return what makes a line for a human."""
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=False)
    # Names and words are strangers': quoted, none of them moves a terminal's cursor.
    render = structlog.dev.ConsoleRenderer(sort_keys=False, repr_native_str=True)

    def line(name: str, level: str, event: Event) -> str:
        fields: dict[str, Any] = {"event": name, "level": level}
        for field, _ in _KEYS[type(event)]:
            if (value := getattr(event, field)) or value == 0:
                fields[field] = round(value, 4) if isinstance(value, float) else value
        return f"{render(None, level, stamp(None, level, fields))}\n"

    return line
