"""Why a client can be turned away, and what one row of the table holds. Pure; decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto

TRY_AGAIN = "try again later"  # lftp's retry pattern: these very words, in lower case


class Reason(StrEnum):
    """One word per cause; the same word stands in logs, metrics and `ftpweir explain`."""

    CLASS_SESSIONS = auto()
    NO_CLASS = auto()
    TLS_LOGIN = auto()
    TLS_DATA = auto()
    NO_SERVER = auto()
    LOGIN_FAILURES = auto()
    DRAINING = auto()
    IDLE = auto()
    DESCRIPTORS = auto()
    FAULT = auto()
    CLASS_TRANSFERS = auto()
    CLASS_RATE = auto()
    BUDGET = auto()
    STATE_FULL = auto()
    STORE_LOST = auto()
    STORE_NEW = auto()
    SUSPECTED_BAN = auto()
    QUEUE_FULL = auto()
    QUEUE_WAIT = auto()
    ETA_TOO_LONG = auto()
    PASSIVE_PORTS = auto()
    UPSTREAM_PORTS = auto()
    CLIENT_DATA = auto()
    UPSTREAM_DATA = auto()
    UPSTREAM_DATA_LOST = auto()
    FILE_CHANGED = auto()
    UPLOAD_UNSURE = auto()
    STALLED = auto()
    UPSTREAM_SESSIONS = auto()
    UPSTREAM_DOWN = auto()
    UPSTREAM_UNREACHABLE = auto()
    UPSTREAM_NO_FTP = auto()
    UPSTREAM_REFUSED = auto()
    UPSTREAM_TLS = auto()
    UPSTREAM_LOGIN = auto()
    UPSTREAM_LOST = auto()
    UPSTREAM_SILENT = auto()


class Scope(Enum):
    """What the refusal ends: the whole session, or only the transfer (or command) it met."""

    SESSION = auto()
    TRANSFER = auto()


class Party(StrEnum):
    """Who ends the transfer that meets a refusal."""

    CLIENT = auto()
    SERVER = auto()
    EITHER = auto()  # one of the two: which cannot be told
    LIMIT = auto()  # one of ours
    PROXY = auto()


@dataclass(frozen=True, slots=True)
class Example:
    """What an imagined refusal knows, for the documents: no more than the real ones are told."""

    used: int | None = None
    limit: int | None = None
    who: str = ""
    retry: float | None = None
    words: str = ""
    waited: float | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: what a client reads on its single line, and what `explain` adds to it."""

    reason: Reason
    sentence: str  # how the client's line opens: the weightiest words first
    setting: str | None  # the configuration key that holds the limit
    cause: str
    script: str  # what the author of the script can do
    operator: str  # what whoever runs the proxy can do
    scope: Scope = Scope.TRANSFER  # for a session that has logged in; a Refusal may know better
    advice: str = TRY_AGAIN
    code: int | None = None  # FTP's own for just this; the session goes on
    party: Party = Party.LIMIT
    unit: str = ""  # of used and limit: empty for a count, " s" for seconds
    example: Example = Example()

    @property
    def retry_helps(self) -> bool:
        """Tell whether waiting alone can end the cause."""
        return TRY_AGAIN in self.advice
