"""The keys about the server's side: the server itself, the firewall's budget, the queue for it."""

from __future__ import annotations

from math import floor
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, PrivateAttr, model_validator

from .addresses import Address, PortRange
from .section import Section
from .shapes import (
    Count,
    CountOrAuto,
    CountOrZero,
    Duration,
    FileOrNone,
    Host,
    HostOrNone,
    Percent,
    Port,
    Ports,
    RateOrNone,
    Sources,
    Standbys,
    Switch,
    TimeLimit,
    TlsMode,
    TlsVersion,
    Verbs,
    Weight,
    one_of,
    or_absent,
)

Pooling: TypeAlias = Literal["session", "transfer"]
DataMode: TypeAlias = Literal["passive", "active", "auto"]
Pipelining: TypeAlias = Literal["auto", "on", "off"]
Spread: TypeAlias = Literal["failover", "least-loaded", "by-user"]
Profile: TypeAlias = Literal["csf", "conntrack", "windows", "none"]
Close: TypeAlias = Literal["fin", "reset"]
Enforce: TypeAlias = Literal["on", "shadow", "off"]

# How long each kind of counter still sees a closed connection. CSF reads the socket table of a
# Linux server, conntrack keeps its own TIME_WAIT, old Windows servers wait twice 120 s of MSL.
# Linux means 60 s, but its timer wheel is coarse: 60.1 to 62.1 s were measured at 250 ticks a
# second, and at 100 ticks its grain for a minute is 5 s.
PROFILE_SECONDS: dict[str, float] = {"csf": 66.0, "conntrack": 120.0, "windows": 240.0, "none": 0.0}


class Upstream(Section):
    """The FTP server behind us."""

    host: Host = Field(description="The server's name or address. The only key without a default.")
    port: Port = Field(
        default=21, description="The server's control port; 21 is FTP's own (RFC 959 section 5.2)."
    )
    standby: Standbys = Field(
        default=(),
        description="Further servers with the same files and logins, in order of preference, each "
        "with a budget and sessions of its own, and a weight if it differs from 1. Empty: there is "
        "only the one.",
    )
    spread: Annotated[Spread, one_of(Spread)] = Field(
        default="failover",
        description="failover: the first server that is up gets all the work. least-loaded: all "
        "share it. by-user: a user stays with one server, where they do not share their files.",
    )
    weight: Weight = Field(
        default=1.0,
        description="The first server's share of the work beside those in standby, where spread "
        "has several at work: 2 gets twice what 1 gets.",
    )
    sessions: CountOrAuto = Field(
        default=2,
        description="Control sessions the server allows us at once (its max_per_ip). 2 is the "
        "strictest limit met in practice; auto learns it from the server's refusals.",
    )
    pooling: Annotated[Pooling, one_of(Pooling)] = Field(
        default="transfer",
        description="session: a client keeps one upstream session until it leaves. transfer: one "
        "is lent per command, so that many scripts share a few.",
    )
    data: Annotated[DataMode, one_of(DataMode)] = Field(
        default="passive",
        description="How data connections to the server are opened. passive works through NAT; "
        "active saves round trips where the server can reach us; auto tries that for downloads, "
        "where it is worth it and pipelining proved possible, and falls back for good.",
    )
    tls: Annotated[TlsMode, one_of(TlsMode)] = Field(
        default="off", description="Whether we speak TLS to the server. Legacy servers seldom do."
    )
    verify: Switch = Field(
        default="on",
        description="Whether the server's certificate is checked. On: TLS to a stranger protects "
        "nothing.",
    )
    ca: FileOrNone = Field(
        default=None,
        description="Certificates that may vouch for the server; none means the system's own.",
    )
    server_name: HostOrNone = Field(
        default=None,
        description="The name that the server's certificate must be for; none means the host's.",
    )
    certificate: FileOrNone = Field(
        default=None, description="The PEM file we show to the server; none: few ask for one."
    )
    key: FileOrNone = Field(
        default=None,
        description="The private key of that certificate; none means that it is in the same file.",
    )
    min_version: Annotated[TlsVersion, one_of(TlsVersion)] = Field(
        default="1.2", description="The oldest TLS that is spoken with the server."
    )
    pipelining: Annotated[Pipelining, one_of(Pipelining)] = Field(
        default="auto",
        description="Whether commands are sent ahead of a final reply, which saves round trips "
        "over a long way. auto tries first, harmlessly, whether the server keeps their order.",
    )
    list_by_stat: Switch = Field(
        default="off",
        description="Whether LIST is answered from STAT over the control connection, which spends "
        "no data connection, once this server's STAT was seen to tell the same.",
    )
    share_listings: Switch = Field(
        default="off",
        description="Whether clients with the same login that list the same directory at the same "
        "time get one listing, unless one of them has changed something since it was asked for.",
    )
    bandwidth: RateOrNone = Field(
        default=None,
        description="Bytes per second of all transfers together, both directions. Sources share "
        "it by weight, the transfers of a source in equal parts; none sets no cap.",
    )
    source_addresses: Sources = Field(
        default=(),
        description="Addresses of this machine from which we connect, each with a budget and "
        "sessions of its own; the freest is used. Empty: the one the system chooses.",
    )
    ports: Ports = Field(
        default=PortRange(51000, 60999),
        description="Where we listen for the server in active mode. Ten thousand, because a port "
        "rests in TIME_WAIT after each upload.",
    )
    session_lifetime: TimeLimit = Field(
        default=3600.0,
        description="An upstream session is retired after so long, since old servers leak; more "
        "often would spend budget on logins.",
    )
    idle_timeout: TimeLimit = Field(
        default=600.0,
        description="An upstream session nobody used for so long is closed, because servers drop "
        "idle ones without a word.",
    )
    login_memory: Duration = Field(
        default=600.0,
        description="How long a proven password is answered from memory, without a login at the "
        "server. A password changed there is noticed so much later.",
    )
    site_harmless: Verbs = Field(
        default=("CHMOD", "UTIME", "HELP", "SYMLINK", "CHGRP"),
        description="SITE words that leave no state in a session. Any other pins its client to "
        "one upstream session, because its effect cannot be replayed.",
    )

    _place: str = PrivateAttr("")  # of a standby server that is looked at alone

    @property
    def servers(self) -> tuple[Address, ...]:
        """All of them, the preferred one first."""
        return (Address(self.host, self.port), *(one.address for one in self.standby))

    @property
    def weights(self) -> tuple[float, ...]:
        """The share of the work that each of them gets."""
        return (self.weight, *(one.weight for one in self.standby))

    def at_standby(self, place: Address) -> Self:
        """Return what this standby server would have alone, under the name it is counted by."""
        update = {"host": place.host, "port": place.port, "standby": (), "weight": 1.0}
        alone = self.model_copy(update=update)
        alone._place = str(place)
        return alone

    def name_of(self, server: int, source: str | None) -> str:
        """Name what is counted for one server from one address of ours: in the store, and what
        its state file ends with. The first server's name came first: it needs none."""
        place = self._place if server == 0 else str(self.servers[server])
        return "@".join(part for part in (source, place) if part)


class Budget(Section):
    """What the firewall in front of the server tolerates from our address."""

    connections: Count = Field(
        default=400,
        description="The most connections it tolerates, open and TIME_WAIT together, control "
        "connections included. 400 is a common limit; CSF bans at 300.",
    )
    time_wait: Duration = Field(
        default=240.0,
        description="How long a closed connection still counts. 240s is an old Windows server, "
        "the longest in use: too long only costs speed, too short a ban.",
    )
    profile: Annotated[Profile | None, or_absent(one_of(Profile))] = Field(
        default=None,
        description="Sets time_wait by the kind of counter: csf 66s, conntrack 120s, windows "
        "240s, none 0s (only open connections count). Give this or time_wait, not both.",
    )
    close: Annotated[Close, one_of(Close)] = Field(
        default="fin",
        description="How upstream downloads end. fin is what every server expects; reset, after "
        "the end of the data, leaves no TIME_WAIT.",
    )
    headroom: Percent = Field(
        default=0.05,
        description="Share kept free, for counters that start a moment before ours.",
    )
    reserved: CountOrZero = Field(
        default=0,
        description="Slots that other programs behind our address use. 0 assumes we are alone.",
    )
    guard: Duration = Field(
        default=0.5,
        description="Added to each hold, because a FIN may have to be sent again: 50ms was "
        "measured to be too little, 300ms enough.",
    )
    enforce: Annotated[Enforce, one_of(Enforce)] = Field(
        default="on",
        description="on makes transfers wait for a slot; shadow only reports which would have "
        "waited; off does neither.",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_in_profile(cls, given: object) -> object:
        """Let time_wait always be the truth, whichever of the two keys was written."""
        if isinstance(given, dict) and "time_wait" not in given:
            profile = given.get("profile")
            if isinstance(profile, str) and profile in PROFILE_SECONDS:
                return {**given, "time_wait": PROFILE_SECONDS[profile]}
        return given

    @property
    def limit(self) -> int:
        """The slots we use ourselves, at least one: what remains after reserve and headroom."""
        # Rounded first: 100 * (1 - 0.07) is 92.99... in binary, and a lost slot is lost for ever.
        ours = round((self.connections - self.reserved) * (1 - self.headroom), 6)
        return max(1, floor(ours))


class Queue(Section):
    """How commands wait for a slot."""

    max_wait: Duration = Field(
        default=40.0,
        description="The longest a command waits; what would wait longer is refused at once. curl "
        "and others give up after 60s, counted from the command.",
    )
    max_length: CountOrZero = Field(
        default=1000,
        description="The most commands that wait at once; 0 lets none wait. Enough for every "
        "script of a large site, small enough to bound memory.",
    )
