"""What all client sessions have in common; built in app.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from proxy.events import Announce
from proxy.net.listener import ListenerPool
from proxy.net.throttle import Throttle
from proxy.shaping.attempts import Attempts

from .exchange_rules import ExchangeRules
from .gate import Gate
from .listings import Listings
from .request import Source
from .roster import Roster


@dataclass(frozen=True, slots=True)
class Manners:
    """How clients are treated. Seconds."""

    idle: float
    handshake: float  # for TLS on the control connection
    transfer_code: int
    refusal_delay: float
    login_attempts: int
    login_delay: float
    anonymous: str  # deny | read-only | allow
    passive_address: str | None  # None: tell the address at which the client reached us
    keeps_session: bool  # pooling: session
    site_harmless: frozenset[str]
    most_descriptors: int  # a client whose socket has this number or a higher one is refused


@dataclass(slots=True)
class Shared:
    """The rooms a session works with, and the rules it asks for anew each time.

    A reload changes the rules (`exchange_rules`, `listings`, `manners`, `classify`), never a room.
    """

    gate: Gate
    roster: Roster
    attempts: Attempts
    passive_ports: ListenerPool
    upstream_ports: ListenerPool
    throttle: Throttle
    exchange_rules: ExchangeRules
    listings: Listings | None  # None: each listing takes a data connection
    manners: Manners
    classify: Callable[[str, bytes], Source]
    new_ref: Callable[[], str]
    clock: Callable[[], float]
    announce: Announce
