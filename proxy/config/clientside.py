"""The keys about the scripts' side: where they connect, who they are, what a refusal looks like."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from .addresses import PortRange
from .section import Section
from .shapes import (
    ClassName,
    Count,
    CountOrNone,
    Duration,
    FileOrNone,
    Globs,
    Networks,
    Place,
    Ports,
    RateOrNone,
    Switch,
    TimeLimit,
    TlsMode,
    TlsVersion,
    Told,
    TransferCode,
    Verbs,
    Weight,
    one_of,
)
from .units import misfit

Anonymous: TypeAlias = Literal["deny", "read-only", "allow"]
Require: TypeAlias = Literal["none", "login", "data"]

ANYWHERE = frozenset({ip_network("0.0.0.0/0"), ip_network("::/0")})


class Listen(Section):
    """One address at which scripts connect."""

    address: Place = Field(
        description="The address and port of this listener; port 0 lets the kernel choose."
    )
    tls: Annotated[TlsMode, one_of(TlsMode)] = Field(
        default="off",
        description="Whether clients may (explicit, AUTH TLS) or must (implicit) speak TLS. Off, "
        "because it needs a certificate.",
    )
    certificate: FileOrNone = Field(
        default=None,
        description="The PEM file shown to clients, with its chain. Read again when it changes.",
    )
    key: FileOrNone = Field(
        default=None,
        description="The private key of the certificate; none means that it is in the same file.",
    )
    require: Annotated[Require, one_of(Require)] = Field(
        default="none",
        description="What is refused without TLS: nothing, the login, or data connections too.",
    )
    min_version: Annotated[TlsVersion, one_of(TlsVersion)] = Field(
        default="1.2",
        description="The oldest TLS that is spoken with clients. Old scripts rarely know 1.3.",
    )
    client_ca: FileOrNone = Field(
        default=None,
        description="Certificates that must vouch for a client's own; none asks clients for none.",
    )
    proxy_protocol: Switch = Field(
        default="off",
        description="Whether a load balancer tells the client's address in a PROXY header, "
        "version 1 or 2. Off, because where none stands before us, none is to be believed.",
    )
    trusted: Networks = Field(
        default=(),
        description="The load balancers, as networks or addresses, that send the header; anybody "
        "else is served without one, as who he is.",
    )
    transparent: Switch = Field(
        default="off",
        description="Whether a firewall turns connections for servers to this listener; then the "
        "kernel is asked where they were made to, for PASV and servers.match.redirected.",
    )


def as_listeners(value: object) -> object:
    """Accept the short form: one address, or a list in which an address stands alone."""
    if isinstance(value, list | tuple):
        at_least_one(value)
        return [{"address": item} if isinstance(item, str) else item for item in value]
    return [{"address": value}] if isinstance(value, str) else value


def at_least_one(value: object) -> object:
    """Refuse an empty list where it would leave nobody served."""
    if isinstance(value, list | tuple) and not value:
        raise misfit("at least one item", value)
    return value


class Passive(Section):
    """How clients reach us for data when they ask with PASV or EPSV."""

    address: Told = Field(
        default="auto",
        description="The IPv4 address told in a 227 reply; auto is the one the client reached us "
        "at, which is right unless a NAT stands between.",
    )
    ports: Ports = Field(
        default=PortRange(50000, 50999),
        description="The ports of our passive listeners. A thousand carry a thousand transfers "
        "at once; a firewall before us must let them in.",
    )


class ClientClass(Section):
    """A named set of sources with quotas and a weight."""

    name: ClassName = Field(description="What refusals, metrics and logs call this class.")
    source: Networks = Field(
        default=(),
        description="Networks this class is for; empty means any. With user given too, both "
        "must match.",
    )
    user: Globs = Field(
        default=(),
        description="Login names this class is for, * and ? match as in a shell; empty means any.",
    )
    sessions: CountOrNone = Field(
        default=None,
        description="Concurrent client sessions of one source; none sets no cap. When no class is "
        "configured at all, everyone has 50.",
    )
    transfers: CountOrNone = Field(
        default=None,
        description="Concurrent transfers of one source; none leaves it to the fair queue.",
    )
    transfers_per_minute: CountOrNone = Field(
        default=None,
        description="Transfers one source may start in any 60 seconds; none sets no cap.",
    )
    bandwidth: RateOrNone = Field(
        default=None,
        description="Bytes per second of one source, both directions and all its transfers "
        "together; none sets no cap.",
    )
    read_only: Switch = Field(
        default="off",
        description="Whether these clients may only look and fetch: uploads, deletions, renaming, "
        "SITE and verbs unknown to us are answered 550.",
    )
    deny: Verbs = Field(
        default=(), description="Verbs that these clients may not use; the answer is 550."
    )
    allow: Verbs = Field(
        default=(),
        description="The only verbs that these clients may use, logging in and out apart; empty "
        "means every verb.",
    )
    require: Annotated[Require, one_of(Require)] = Field(
        default="none",
        description="What these clients are refused without TLS: nothing, the login, or data "
        "connections too. Where listen.require asks for more, that counts.",
    )
    weight: Weight = Field(
        default=1.0,
        description="A source's share of the turns when the queue is contended, and of "
        "upstream.bandwidth when that is: 2 gets twice what 1 gets.",
    )

    @property
    def matches_everybody(self) -> bool:
        """Tell whether no client can fall through to the next class."""
        return (not self.source or set(self.source) >= ANYWHERE) and (
            not self.user or "*" in self.user
        )


class Refusals(Section):
    """What a client hears when it cannot be served."""

    transfer_code: TransferCode = Field(
        default=425,
        description="The reply to a transfer that would wait too long. 425 keeps the login; "
        "450 suits scripts that retry on it alone, and 421 ends the session.",
    )
    delay: Duration = Field(
        default=2.0,
        description="Every refusal waits so long before it is sent, because some clients come "
        "back ten times a second.",
    )


class Login(Section):
    """Who may not log in, and how wrong passwords are slowed down before they reach the server."""

    anonymous: Annotated[Anonymous, one_of(Anonymous)] = Field(
        default="deny",
        description="Whether anonymous and ftp may log in: deny (an open door is found within "
        "days), read-only, or allow what the class allows.",
    )
    attempts: Count = Field(
        default=3,
        description="Wrong passwords in one session before it ends with 421. People mistype "
        "twice; scripts never get better.",
    )
    delay: Duration = Field(
        default=5.0,
        description="How long the reply to a wrong password waits (RFC 2577 section 5 asks for "
        "it), so that guessing is slow.",
    )
    remember: TimeLimit = Field(
        default=600.0,
        description="How long wrong passwords count against their source, so that a new "
        "connection is no way around the delay.",
    )
