"""What each step of the doctor saw: facts, no conclusions. Pure.

None in `Seen` means that the step was not reached, or not asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Met(StrEnum):
    """What an attempt to connect met."""

    ANSWER = "answered"
    REFUSAL = "refused"
    SILENCE = "no answer"
    NO_WAY = "unreachable"
    NO_ROOM = "not tried, the budget is full"
    NO_DESCRIPTOR = "no descriptor left"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One connection tried."""

    host: str
    port: int
    met: Met
    seconds: float = 0.0
    words: str = ""

    @property
    def place(self) -> str:
        """HOST:PORT."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        why = f" ({self.words})" if self.words else ""
        return f"{self.place}: {self.met.value}{why} after {1000 * self.seconds:.0f} ms"


@dataclass(frozen=True, slots=True)
class Names:
    """What became of the server's name."""

    host: str
    addresses: tuple[str, ...] = ()
    error: str = ""
    is_temporary: bool = False  # nobody could say, rather than: there is none
    seconds: float = 0.0


class Greeter(StrEnum):
    """Who answers at the server's port."""

    FTP = "an FTP server"
    OTHER = "something else"
    MUTE = "nobody speaks"
    GONE = "it hung up"


@dataclass(frozen=True, slots=True)
class Greeting:
    """The first words."""

    greeter: Greeter
    code: int = 0
    words: str = ""
    busy: bool = False  # "too many users"

    @property
    def is_welcome(self) -> bool:
        """Tell whether the conversation may begin."""
        return self.greeter is Greeter.FTP and 200 <= self.code < 300

    def __str__(self) -> str:
        return f"{self.code} {self.words}" if self.code else self.words or self.greeter.value


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a server shows."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Tls:
    """How TLS with the server went. `failure` empty: well."""

    offered: bool
    version: str = ""
    failure: str = ""
    verify_code: int = 0  # OpenSSL's X509_V_ERR_..., 0: the certificate was not the reason
    certificate: Certificate | None = None
    files_problem: str = ""  # a file of ours cannot be used


@dataclass(frozen=True, slots=True)
class Login:
    """How the login ended: the last reply. `code` 0: none came."""

    user: str
    code: int
    words: str
    busy: bool = False  # "too many users", whatever the code

    @property
    def is_done(self) -> bool:
        """Tell whether we are in."""
        return 200 <= self.code < 300


@dataclass(frozen=True, slots=True)
class Features:
    """What the server says of itself."""

    system: str
    features: tuple[str, ...]
    directory: str
    is_unix: bool


@dataclass(frozen=True, slots=True)
class Data:
    """One data connection and the listing on it."""

    verb: str  # PASV, EPSV, PORT or EPRT
    reply: str  # to the verb
    is_agreed: bool = False
    told: str = ""  # the address in a 227
    attempt: Attempt | None = None
    close: str = "fin"
    code: int = 0  # the final reply to LIST; 0: not reached
    words: str = ""
    size: int = 0
    server_closed_first: bool = False
    waits_for_us: bool = False  # the final reply came only after our close
    our_time_wait: bool | None = None  # None: cannot be seen
    tls_failure: str = ""

    @property
    def is_connected(self) -> bool:
        """Tell whether the data connection came about."""
        return self.attempt is not None and self.attempt.met is Met.ANSWER

    @property
    def is_passive(self) -> bool:
        """Tell whether we connected to the server."""
        return self.verb in ("PASV", "EPSV")


@dataclass(frozen=True, slots=True)
class Write:
    """The file that was to be written and removed again."""

    path: str
    code: int
    words: str
    had_begun: bool = False  # the server had said 150
    broke: str = ""


@dataclass(frozen=True, slots=True)
class Sessions:
    """How many sessions the server let us have at once."""

    most: int
    refusal: str  # empty: we stopped by ourselves
    stopped_at: int


@dataclass(frozen=True, slots=True)
class Machine:
    """What this machine has room for."""

    descriptors: int  # what a process may have, ftpweir raises the soft limit to it
    ports: int  # ephemeral ports
    ports_used: int
    clock: datetime
    state_written: datetime | None  # when the state file was last touched
    sessions_held: int  # connections of this machine to the server's port, before ours
    foreign_sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Store:
    """The shared store. `problem` empty: an instance can work with it."""

    place: str
    problem: str = ""
    is_there: bool = True
    is_denied: bool = False
    is_full: bool = False
    engine: str = ""
    version: str = ""
    is_replica: bool = False
    eviction: str = ""  # maxmemory-policy; empty: it does not say
    memory_limit: int = 0  # bytes; 0: none
    clock_ahead: float = 0.0  # seconds by which its clock is ahead of ours
    seconds: float = 0.0  # from question to answer


@dataclass(frozen=True, slots=True)
class Ledger:
    """The state file."""

    path: str
    problem: str = ""
    is_denied: bool = False  # the problem may be that of this user alone
    is_held: bool = False  # a running ftpweir has it
    is_believed: bool = True
    used: int = 0  # open or cooling
    limit: int = 0
    had_data: int = 0  # data connections remembered, those that no longer count included
    next_free: float | None = None


@dataclass(frozen=True, slots=True)
class Door:
    """One address of `listen`."""

    place: str
    attempt: Attempt
    greeting: Greeting | None = None
    is_ours: bool = False  # ftpweir greets there
    bind_error: str = ""
    bind_is_taken: bool = False
    bind_is_denied: bool = False
    pid: int | None = None
    descriptors_open: int | None = None
    descriptors_limit: int | None = None


@dataclass(frozen=True, slots=True)
class RefusedFor:
    """How often clients were refused for one reason lately, and the last words."""

    reason: str
    times: int
    latest: str


@dataclass(frozen=True, slots=True)
class Running:
    """What the running ftpweir says of itself."""

    address: str  # where it was asked
    used: int
    limit: int
    next_slot: float | None
    banned_for: float  # 0.0: it suspects no ban
    sessions: int  # with the server
    trouble: str  # what keeps it from the server now
    refusals: tuple[RefusedFor, ...]  # the most frequent first
    sessions_elsewhere: int = 0  # had by other instances that share its store
    store_new_for: float = 0.0  # its store deals nothing out for so long
    undercut: tuple[str, ...] = ()  # by other instances, which go by lower limits


@dataclass(slots=True)
class Seen:
    """All of it, filled step by step by the examination."""

    machine: Machine | None = None
    ledgers: tuple[Ledger, ...] = ()
    store: Store | None = None
    doors: tuple[Door, ...] = ()
    running: Running | None = None
    names: Names | None = None
    attempts: list[Attempt] = field(default_factory=list)  # in the order of the addresses
    standard_port: Greeting | None = None  # who answers at 21, when nobody does at upstream.port
    greeting: Greeting | None = None
    tls: Tls | None = None
    login: Login | None = None
    features: Features | None = None
    data: list[Data] = field(default_factory=list)
    write: Write | None = None
    sessions: Sessions | None = None
    lost: str = ""  # why the control connection ended early
    no_room: bool = False  # a connection was not made, for the budget's sake
    connections: int = 0  # made to the server
