"""Which commands a client may use at all, as its class says; asked before any is obeyed. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from .action import LOOKS_ONLY
from .command import Command, Direction, Treatment

# Without these nobody could log in, leave, or be told that something is forbidden.
_ALWAYS = frozenset({Treatment.LOGIN, Treatment.QUIT, Treatment.ABORT, Treatment.REFUSED})
# Kinds whose every verb leaves the server's files as they are.
_HARMLESS = frozenset({Treatment.LOCAL, Treatment.DATA_PORT, Treatment.DIRECTORY})
ANONYMOUS = frozenset({b"anonymous", b"ftp"})  # RFC 1635 section 3


@dataclass(frozen=True, slots=True)
class Permissions:
    """What is forbidden; nothing, unless said."""

    is_read_only: bool = False
    denied: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()  # empty: every verb

    def forbids(self, command: Command) -> str | None:
        """Return the name of the setting that forbids a command; None: it may be used."""
        if (
            not (self.denied or self.allowed or self.is_read_only)
            or command.rule.treatment in _ALWAYS
        ):
            return None
        if command.verb in self.denied:
            return "deny"
        if self.allowed and command.verb not in self.allowed:
            return "allow"
        if self.is_read_only and not _only_reads(command):
            return "read_only"
        return None


READ_ONLY = Permissions(is_read_only=True)


def is_anonymous(user: bytes) -> bool:
    """Tell whether a login name is one of those that need no password."""
    return user.strip().lower() in ANONYMOUS


def _only_reads(command: Command) -> bool:
    rule = command.rule
    if rule.direction is not None:
        return rule.direction is not Direction.UPLOAD
    return rule.treatment in _HARMLESS or command.verb in LOOKS_ONLY
