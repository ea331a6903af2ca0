"""The log: one line a deed, console on a terminal and JSON otherwise. Secrets never come here."""

from __future__ import annotations

import logging
import sys
from typing import Any, Final

import structlog

from proxy import events
from proxy.events import Event

_NAMES: Final[dict[type, tuple[str, str]]] = {
    events.SessionEnded: ("session ended", "info"),
    events.TransferEnded: ("transfer ended", "info"),
    events.Refused: ("refused", "warning"),
    events.Forbidden: ("forbidden", "warning"),
    events.LoginFailed: ("login failed", "warning"),
    events.UpstreamOpened: ("upstream session opened", "info"),
    events.UpstreamClosed: ("upstream session closed", "info"),
    events.UpstreamRefused: ("upstream refused a session", "warning"),
    events.Pinned: ("session pinned", "warning"),
    events.ShadowWait: ("would have waited", "info"),
    events.BanSuspected: ("ban suspected", "error"),
    events.Reloaded: ("reloaded", "info"),
    events.ReloadRefused: ("reload refused", "error"),
    events.DrainBegan: ("drain began", "info"),
    events.DrainEnded: ("drain ended", "info"),
    events.StateTold: ("state", "warning"),
    events.Fault: ("fault", "error"),
}
_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


def set_up(form: str, level: str) -> None:
    """Choose form (auto, json, console) and level of the loggers that are made from now on."""
    is_console = form == "console" or (form == "auto" and sys.stderr.isatty())
    renderer: Any = (
        structlog.dev.ConsoleRenderer(sort_keys=False)
        if is_console
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=not is_console),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


class EventLog:
    """Writes each event as one line."""

    def __init__(self, form: str, level: str) -> None:
        self.adopt(form, level)

    def adopt(self, form: str, level: str) -> None:
        """Go on in another form, or from another level on."""
        set_up(form, level)
        self._log = structlog.get_logger()
        self._least = _LEVELS[level]

    def __call__(self, event: Event) -> None:
        """Write the line of this event; times are rounded to a tenth of a millisecond."""
        name, level = _NAMES[type(event)]
        if _LEVELS[level] < self._least:
            return  # the making of a line costs more than a small transfer's other bookkeeping
        fields: dict[str, Any] = {}
        for key in event.__slots__:
            value = getattr(event, key)
            if value not in ("", None, ()):
                fields[key] = round(value, 4) if isinstance(value, float) else value
        getattr(self._log, level)(name, **fields)
