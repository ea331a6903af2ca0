"""Deeds worth telling: one frozen value at the end of each. Pure; ops/herald.py tells who listens.

Seconds are floats, bytes are ints, addresses are text. No event ever holds a password.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from proxy.value import value


class Result(StrEnum):
    """How a transfer ended, where no refusal ended it."""

    DONE = "done"
    ABORTED = "aborted"
    CLIENT_CLOSED = "client closed data"
    REFUSED_BY_SERVER = "refused by server"


@value
class Event:
    """A deed; what it was is the name of its own class."""


@value
class OfClient(Event):
    """The deed of a client, and whose; what it was is the name of its own class."""

    session: str
    source: str
    user: str
    client_class: str


@value
class SessionEnded(OfClient):
    """A client's session is over; `reason` is one word of the table in docs/BEHAVIOUR.md."""

    reason: str
    duration: float
    commands: int
    transfers: int
    bytes_down: int
    bytes_up: int
    tls: str = ""  # the version on the control connection, such as TLSv1.3


@value
class TransferEnded(OfClient):
    """One transfer is over, with the five timers of its phases."""

    upstream_session: int | None
    verb: str
    path: str
    kind: str
    result: str  # a Result, or the reason of the refusal that ended it
    code: int  # the final reply's
    moved: int
    is_ascii: bool  # TYPE A: line ends were converted on the way
    way: str  # "data connection"; a listing may also come over the "control connection"
    heals: int  # how often the server's part broke and was taken up again
    queue: float
    prepare: float
    open: float
    data: float
    final: float
    misjudged: float | None = None  # between the wait for the budget as foretold and the real one
    server: str = ""  # its name, where there are several


@value
class Refused(OfClient):
    """A client heard an explained refusal; `ref` is the id it was given."""

    reason: str
    code: int
    sentence: str
    ref: str
    server: str = ""  # its name, where there are several


@value
class LoggedIn(OfClient):
    """A client has proved who it is."""

    server: str = ""  # its name, where there are several


@value
class Changed(OfClient):
    """A command that may change something on the server was answered. For RNTO `path` is both
    names; for SITE and verbs unknown to us it is the first word, for the others may be secret."""

    verb: str
    path: str
    code: int


@value
class Forbidden(OfClient):
    """A client asked for what its class may not do; `setting` is the one that says so."""

    verb: str
    setting: str


@value
class ProxyHeaderRefused(Event):
    """A balancer that is believed said something else than whose connection it passes on."""

    balancer: str
    why: str


@value
class LoginFailed(Event):
    """The server did not take a login."""

    session: str
    source: str
    user: str
    words: str


@value
class TlsFailed(Event):
    """A client and we did not agree on TLS: its session ended in the handshake."""

    session: str
    source: str
    why: str


@value
class CertificateRefused(Event):
    """The files of a listener's certificate have changed and cannot be used: the old one stays."""

    certificate: str
    why: str


@value
class CertificateExpires(Event):
    """The server's certificate is valid for so many days only; negative: not any more."""

    server: str
    subject: str
    days: int


@value
class UpstreamOpened(Event):
    """A control connection to the server is logged in."""

    upstream_session: int
    user: str
    seconds: float
    tls: str = ""  # the version spoken, such as TLSv1.3
    certificate_until: float | None = None  # seconds since 1970; None: none was shown
    server: str = ""  # its name, where there are several


@value
class UpstreamClosed(Event):
    """A control connection to the server is gone."""

    upstream_session: int
    user: str
    reason: str
    duration: float
    leases: int


@value
class CommandsRunAhead(Event):
    """It was learned whether the server obeys in order what is sent ahead of a final reply."""

    upstream_session: int
    allowed: bool


@value
class UpstreamRefused(Event):
    """The server would not have another session: we wait `backoff` seconds before we ask again."""

    words: str
    reason: str
    backoff: float
    server: str = ""  # its name, where there are several


@value
class ServerDown(Event):
    """One of several servers does not answer: the others are used."""

    server: str
    words: str


@value
class ServerUp(Event):
    """It answers again, and is used again, after so many seconds."""

    server: str
    away: float


@value
class Pinned(Event):
    """A session keeps its upstream session: `verb` may have set what cannot be replayed."""

    session: str
    upstream_session: int
    verb: str


@value
class ShadowWait(Event):
    """With `enforce: shadow`: a transfer went at once that would have waited for the budget."""

    source: str
    kind: str
    wait: float


@value
class BanSuspected(Event):
    """Data met silence where control answers: nothing for `pause` s, then `limit` slots."""

    pause: float
    limit: int
    server: str = ""  # its name, where there are several


@value
class StoreLost(Event):
    """The shared store cannot be reached; `mode` is what `sharing.on_store_down` says."""

    why: str
    mode: str


@value
class StoreBack(Event):
    """The shared store answers again, after so many seconds."""

    away: float


@value
class StoreNew(Event):
    """The shared store knows nothing of what is in use: nothing is dealt out for so long."""

    patience: float


@value
class StoreUnreadable(Event):
    """Somebody else has written among what we keep in the shared store: so many rows are gone."""

    rows: int


@value
class LimitsDiffer(Event):
    """Of several instances that share a thing one goes by a lower limit, which holds for all."""

    setting: str
    ours: int
    lowest: int
    way: str = ""  # the server and our address, where there are several


@value
class Reloaded(Event):
    """The file was read anew, and these keys are others now; `warnings` are of `ftpweir check`."""

    changed: tuple[str, ...]
    warnings: tuple[str, ...]


@value
class ReloadRefused(Event):
    """The file was read anew and nothing has changed, because of these problems."""

    problems: tuple[str, ...]


@value
class Ordered(Event):
    """Somebody at this address had the API do something: `reload` or `drain`."""

    order: str
    source: str


@value
class DrainBegan(Event):
    """Told to end: so many sessions are asked to leave, and have `patience` seconds for it."""

    sessions: int
    patience: float


@value
class DrainEnded(Event):
    """Everybody has left, `thrown_out` of them because the time was over."""

    seconds: float
    thrown_out: int


@value
class StateTold(Event):
    """What everybody is doing, told because somebody asked (SIGUSR2)."""

    phase: str
    sessions: tuple[str, ...]
    waiting: int
    upstream: tuple[str, ...]
    budgets: tuple[str, ...]
    tasks: tuple[str, ...]


@value
class LinesLost(Event):
    """The log can be written again; so many lines could not be, the last of them because `why`."""

    lines: int
    why: str


@value
class StatusUnavailable(Event):
    """The status page is not served: nobody asked for its address, and it cannot be had."""

    why: str


@value
class Fault(Event):
    """A mistake of ours: an error nobody expected, with where it came from."""

    where: str
    error: str
    trace: str


Announce = Callable[[Event], None]
