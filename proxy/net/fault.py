"""That a control connection ended, and why, where the other side did not simply leave."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Why(Enum):
    """What kind of fault it was."""

    SILENT = auto()  # the other side's TCP acknowledged nothing any more
    UNREAD = auto()  # it does not read what we say
    BROKEN = auto()  # a reset, or what the network says
    NONSENSE = auto()  # what it said has no meaning
    TLS = auto()  # we did not agree on TLS, or it was broken


@dataclass(frozen=True, slots=True)
class Fault:
    """The kind, and what there is to say of it."""

    why: Why
    words: str

    def __str__(self) -> str:
        return f"TLS: {self.words}" if self.why is Why.TLS else self.words


class Ended(Exception):
    """The other side is gone, and all it said before has been read; no fault: it simply left."""

    def __init__(self, fault: Fault | None) -> None:
        super().__init__(str(fault or ""))
        self.fault = fault


GONE_SILENT = Fault(Why.SILENT, "the other side acknowledges nothing any more")
