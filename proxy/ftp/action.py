"""What a command asks to be done: one frozen value each, decided by dialogue.py. Pure."""

from __future__ import annotations

from proxy.value import value

from .address import Endpoint
from .command import Command, Direction, Needs
from .reply import Reply


@value
class Answer:
    """The reply is certain; nobody else need be asked."""

    reply: Reply


@value
class Login:
    """Prove this login, then tell `logged_in`, `account_wanted` or `login_failed`."""

    user: bytes
    password: bytes
    account: bytes | None = None


@value
class Name:
    """A user was named, and whoever had logged in is not any more: the session gives back what it
    holds, and tells `known_as`."""

    reply: Reply


@value
class StartTls:
    """Answer in clear, shake hands, then tell `tls_started`; without a handshake nothing goes on.

    The session gives back what it holds: whoever had logged in must do so again.
    """

    reply: Reply


@value
class Restart:
    """Forget login and state (REIN); the session gives back what it holds."""

    reply: Reply


@value
class OpenPassive:
    """Lend this client a listening port and tell it; `extended` asks for 229 instead of 227."""

    extended: bool


@value
class SetActive:
    """The client listens there; the address has been checked."""

    endpoint: Endpoint


@value
class DropData:
    """ABOR with no transfer: close what was prepared for one, then answer."""

    reply: Reply


@value
class Forward:
    """Ask the server, in the state that the client believes in."""

    command: Command
    needs: Needs


@value
class Move:
    """A CWD or CDUP: ask the server, then learn the new directory with `moved`."""

    command: Command


@value
class Rename:
    """RNFR and RNTO back to back on one session with the server (RFC 959: nothing in between)."""

    source: Command
    target: Command


@value
class Pin:
    """Ask the server, and keep this very session from now on: its state cannot be replayed."""

    command: Command


@value
class Transfer:
    """Move one file or listing; `restart` is the offset that REST asked for."""

    command: Command
    direction: Direction
    restart: bytes | None


@value
class Close:
    """Say goodbye and end the session."""

    reply: Reply


Action = (
    Answer
    | Name
    | Login
    | StartTls
    | Restart
    | OpenPassive
    | SetActive
    | DropData
    | Forward
    | Move
    | Rename
    | Pin
    | Transfer
    | Close
)

LOOKS_ONLY = frozenset({"AVBL", "MDTM", "MLST", "SIZE", "STAT"})


def may_change_files(action: Action) -> bool:
    """Tell whether a listing asked for before this deed may be out of date after it."""
    match action:
        case Transfer(direction=direction):
            return not direction.is_down
        case Forward(command):
            return command.verb not in LOOKS_ONLY
        case Rename() | Pin():
            return True
        case _:
            return False
