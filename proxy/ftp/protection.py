"""How far one client's connections are protected by TLS, and the commands that change it. Pure.

RFC 2228 and RFC 4217: AUTH begins the handshake, PBSZ and PROT choose for data connections.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from proxy.refusals import Reason

from .action import Action, Answer, StartTls
from .command import Command
from .reply import Refused, Reply


class Require(Enum):
    """What is refused without TLS; the words are those of the setting."""

    NONE = "none"
    LOGIN = "login"
    DATA = "data"  # the login too


class Unprotected(Exception):
    """TLS is required where there is none; `setting` says so: the listener's, or the class's."""

    def __init__(self, reason: Reason, setting: str) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.setting = setting


@dataclass(frozen=True, slots=True)
class TlsTerms:
    """What a listener says of TLS."""

    is_offered: bool = False
    is_implicit: bool = False  # a client speaks TLS from its first byte on
    require: Require = Require.NONE


NO_TLS = TlsTerms()
OF_LISTENER, OF_CLASS = "listen.require", "clients.require"
FEATURES = (b"AUTH TLS", b"PBSZ", b"PROT")  # RFC 4217 section 6

_NOT_OFFERED = Reply.of(502, "TLS is not offered here.")
_MECHANISMS = frozenset({b"TLS", b"TLS-C", b"SSL"})  # all the same: data is clear until PROT P


class Protection:
    """The state of one session. PROT counts for data connections opened from then on.

    `require` is what the client's class requires, beside what its listener requires of everybody.
    """

    def __init__(self, terms: TlsTerms) -> None:
        self._terms = terms
        # Who speaks TLS from the first byte on means all of it: many send no PROT then.
        self.is_on = self.covers_data = self._has_buffer_size = terms.is_implicit

    @property
    def features(self) -> tuple[bytes, ...]:
        """What FEAT says of it."""
        return FEATURES if self._terms.is_offered else ()

    def decide(self, command: Command, require: Require) -> Action:
        """Say what AUTH, PBSZ or PROT asks for; raise Refused."""
        if not self._terms.is_offered:
            raise Refused(_NOT_OFFERED)
        argument = command.argument.strip().upper()
        match command.verb:
            case "AUTH":
                return self._start(argument)
            case "PBSZ":
                return Answer(self._set_buffer_size(argument))
            case _:
                return Answer(self._set_level(argument, require))

    def check_login(self, require: Require) -> None:
        """Raise Unprotected for a login in clear where that is not allowed."""
        if self.is_on:
            return
        # RFC 4217 section 12: before the password is sent, so at USER.
        if self._terms.require is not Require.NONE:
            raise Unprotected(Reason.TLS_LOGIN, OF_LISTENER)
        if require is not Require.NONE:
            raise Unprotected(Reason.TLS_LOGIN, OF_CLASS)

    def check_transfer(self, require: Require) -> None:
        """Raise Unprotected for data in clear where that is not allowed."""
        if self.covers_data:
            return
        if self._terms.require is Require.DATA:
            raise Unprotected(Reason.TLS_DATA, OF_LISTENER)
        if require is Require.DATA:
            raise Unprotected(Reason.TLS_DATA, OF_CLASS)

    def started(self) -> None:
        """The handshake on the control connection is over."""
        self.is_on = True

    def forget(self) -> None:
        """REIN: the control connection stays as it is, data connections are as at first."""
        self.covers_data = self._has_buffer_size = self._terms.is_implicit

    def _start(self, mechanism: bytes) -> Action:
        if self.is_on:
            raise Refused(Reply.of(503, "TLS is on already."))
        if mechanism not in _MECHANISMS:
            raise Refused(Reply.of(504, "Only AUTH TLS is carried."))
        return StartTls(Reply.of(234, "Begin the TLS handshake."))

    def _set_buffer_size(self, size: bytes) -> Reply:
        self._demand(is_met=self.is_on, first="AUTH TLS")
        if not size.isdigit() or len(size) > 10:
            raise Refused(Reply.of(501, "PBSZ needs a number."))
        self._has_buffer_size = True
        return Reply.of(200, "PBSZ=0")  # RFC 4217 section 8: with TLS there is no other

    def _set_level(self, level: bytes, require: Require) -> Reply:
        self._demand(is_met=self._has_buffer_size, first="PBSZ 0")
        match level:
            case b"P":
                self.covers_data = True
                return Reply.of(200, "Data connections are protected from now on.")
            case b"C" if Require.DATA in (self._terms.require, require):
                raise Refused(Reply.of(534, "Data must be protected here: PROT P it stays."))
            case b"C":
                self.covers_data = False
                return Reply.of(200, "Data connections are in clear from now on.")
            case b"S" | b"E":
                raise Refused(Reply.of(536, "TLS knows PROT C and PROT P only."))
            case _:
                raise Refused(Reply.of(504, "TLS knows PROT C and PROT P only."))

    def _demand(self, *, is_met: bool, first: str) -> None:
        if not is_met:
            raise Refused(Reply.of(503, f"Send {first} first."))
