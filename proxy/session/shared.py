"""What all client sessions have in common, whichever server they are for; built in rooms.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from proxy.events import Announce
from proxy.gate.request import Source
from proxy.net.listener import ListenerPool
from proxy.shaping.attempts import Attempts
from proxy.store.caps import Caps

from .backend import Choose
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
    most_descriptors: int  # a client whose socket has this number or a higher one is refused


@dataclass(slots=True)
class Shared:
    """The rooms a session works with, and the rules it asks for anew each time.

    A reload changes the rules (`manners`, `classify`, `choose`), never a room.
    """

    roster: Roster
    caps: Caps  # of sessions; those of transfers are each server's
    attempts: Attempts
    passive_ports: ListenerPool
    upstream_ports: ListenerPool
    manners: Manners
    classify: Callable[[str, bytes], Source]
    choose: Choose
    new_ref: Callable[[], str]
    clock: Callable[[], float]
    announce: Announce
