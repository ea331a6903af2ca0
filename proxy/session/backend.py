"""What a session has of the server that its client has chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from proxy.config import Address
from proxy.exchange.listings import Listings
from proxy.exchange.rules import ExchangeRules
from proxy.gate.gate import Gate
from proxy.net.throttle import Throttle


@dataclass(frozen=True, slots=True)
class Entrance:
    """How a client came in: what its server is chosen by, beside its name."""

    listen: Address  # as the configuration writes it
    wanted: str | None = None  # the address it asked for, where a firewall turned it to us


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration says of one server, and what was learned of it."""

    exchange: ExchangeRules
    listings: Listings | None  # None: each listing takes a data connection
    keeps_session: bool  # pooling: session
    site_harmless: frozenset[str]


@dataclass(slots=True)
class Backend:
    """The rooms of one server, and the rules that are asked for anew each time.

    A reload changes the rules, never a room.
    """

    name: str  # empty: the one of the top level
    gate: Gate
    throttle: Throttle
    rules: Rules


# From how a client came in, and the name it gave, to its server and its name there; may raise
# Declined.
Choose: TypeAlias = Callable[[Entrance, bytes], tuple[Backend, bytes]]
