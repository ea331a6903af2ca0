"""How long a closed connection still counts: by what it was, how it ended, and who counts. Pure.

One table, printed by `ftpweir plan`. Sources: the Linux and netfilter documentation for 60, 120 and
10 seconds, Microsoft's for 240, and socket tables read on both sides after each kind of end
(docs/TIME_WAIT.md). Whoever sends the first FIN keeps TIME_WAIT: downloads and listings end with
the server's FIN, uploads with ours, control connections with the server's after its 221.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from proxy.config.serverside import PROFILE_SECONDS

from .ledger import Kind


class Ending(StrEnum):
    """How a connection with the server ended."""

    FIN = "fin"  # in peace
    RESET = "reset"  # by our RST after its FIN, or to break it off
    UNANSWERED = "unanswered"  # our SYN met silence: the counter may hold a half-open connection
    ABANDONED = "abandoned"  # given up before anything could answer: may be half-open just as well


@dataclass(frozen=True, slots=True)
class Holds:
    """Seconds that one kind of counter still sees a connection after its end."""

    name: str
    server_closed: float  # the server sent the first FIN
    we_closed: float  # we did
    reset: float
    unanswered: float

    def of(self, kind: Kind, ending: Ending) -> float:
        """Return the hold, without the guard."""
        match ending:
            case Ending.RESET:
                return self.reset
            case Ending.UNANSWERED | Ending.ABANDONED:
                return self.unanswered
            case Ending.FIN:
                return self.we_closed if kind is Kind.UPLOAD else self.server_closed

    @property
    def longest(self) -> float:
        """The longest hold of all: what is assumed where nothing is known."""
        return max(self.server_closed, self.we_closed, self.reset, self.unanswered)


# A Linux host gives up a half-open connection after five SYN-ACKs: 1 + 2 + 4 + 8 + 16 + 32 s.
_HALF_OPEN = 63.0

# Behind the server's FIN each holds for the time that `budget.profile` stands for.
PROFILES: Mapping[str, Holds] = {
    "csf": Holds("csf", PROFILE_SECONDS["csf"], 0.0, 0.0, _HALF_OPEN),
    "conntrack": Holds("conntrack", PROFILE_SECONDS["conntrack"], 120.0, 10.0, 120.0),
    "windows": Holds("windows", PROFILE_SECONDS["windows"], 0.0, 0.0, _HALF_OPEN),
    "none": Holds("none", PROFILE_SECONDS["none"], 0.0, 0.0, 0.0),
}


def explicit(time_wait: float) -> Holds:
    """Return the holds of a counter known only by its time: every end costs it, but a reset.

    A reset costs what it costs the strictest counter that is known (conntrack: 10 s).
    """
    reset = min(time_wait, PROFILES["conntrack"].reset)
    return Holds("time_wait", time_wait, time_wait, reset, time_wait)
