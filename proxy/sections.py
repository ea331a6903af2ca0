"""What each room is handed of the configuration: its own section, in its own words. Pure.

Asked when a room is built, and again when a reload brings another configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from proxy.config import Config, Listen
from proxy.events import Announce
from proxy.exchange.listings import ListingWays
from proxy.exchange.rules import ExchangeRules
from proxy.ftp.protection import Require, TlsTerms
from proxy.net.certificate import Certificate, CertificateFiles
from proxy.net.replay import ReplayMemory
from proxy.net.trust import TrustFiles
from proxy.session.client_tls import NOTHING, TlsOffer
from proxy.session.shared import Manners
from proxy.shaping.holds import PROFILES, explicit
from proxy.shaping.stake import OnStoreDown, Terms
from proxy.shaping.tolerance import Enforce, Tolerance
from proxy.store.group import Membership
from proxy.upstream.dial import Dialer, Patience
from proxy.upstream.fleet import Spread
from proxy.upstream.habits import Habits
from proxy.upstream.limits import PoolLimits
from proxy.upstream.reach import Reach
from proxy.upstream.server_tls import ServerTls


def tolerance(config: Config) -> Tolerance:
    """What the firewall tolerates."""
    budget = config.budget
    holds = explicit(budget.time_wait) if budget.profile is None else PROFILES[budget.profile]
    return Tolerance(budget.limit, holds, budget.guard, Enforce(budget.enforce))


def resets(config: Config) -> bool:
    """Whether connections with the server end by reset where they can."""
    return config.budget.close == "reset"


@dataclass(frozen=True, slots=True)
class Tls:
    """How TLS is spoken: with clients at each listener, and with each server (None: it is not)."""

    offers: Mapping[Listen, TlsOffer]
    servers: Mapping[str, Sequence[ServerTls | None]]  # by name, for each of its machines


def tls(config: Config, announce: Announce, before: Tls | None = None) -> Tls:
    """Read all certificates; raise BadCertificate. Listeners that stay keep theirs of `before`."""
    known = before.offers if before is not None else {}
    offers = {listen: known.get(listen) or _tls_offer(listen, announce) for listen in config.listen}
    servers = {
        name: [_server_tls(own, machine.host, announce) for machine in own.upstream.servers]
        for name, own in config.by_server.items()
    }
    return Tls(offers, servers)


def dialer(
    config: Config,
    source: str | None,
    server: int,
    tls: ServerTls | None,
    is_hurried: Callable[[], bool],
) -> Dialer:
    """How sessions with a server are opened, from this address of ours."""
    timeouts, there = config.timeouts, config.upstream.servers[server]
    patience = Patience(
        connect=timeouts.connect,
        login=timeouts.login,
        reply=timeouts.final,
        hurried=timeouts.failover,
        hung=timeouts.hung,
    )
    return Dialer(there.host, there.port, patience, source, tls, is_hurried)


def spread(config: Config) -> Spread:
    """How several servers share the work."""
    return Spread(config.upstream.spread)


def certificate_files(listen: Listen) -> CertificateFiles | None:
    """What is shown to clients of this listener, and asked of them; None: it speaks no TLS."""
    if listen.tls == "off" or listen.certificate is None:
        return None
    return CertificateFiles(listen.certificate, listen.key, listen.client_ca, listen.min_version)


def trust_files(config: Config) -> TrustFiles | None:
    """Who vouches for servers, and what is shown to them; None: no TLS is spoken with them."""
    upstream = config.upstream
    if upstream.tls == "off":
        return None
    return TrustFiles(
        verify=upstream.verify == "on",
        ca=upstream.ca,
        certificate=upstream.certificate,
        key=upstream.key,
        min_version=upstream.min_version,
    )


def _tls_offer(listen: Listen, announce: Announce) -> TlsOffer:
    files = certificate_files(listen)
    if files is None:
        return NOTHING
    return TlsOffer(
        TlsTerms(
            is_offered=True,
            is_implicit=listen.tls == "implicit",
            require=Require(listen.require),
        ),
        Certificate(files, announce),
    )


def _server_tls(config: Config, host: str, announce: Announce) -> ServerTls | None:
    files, upstream = trust_files(config), config.upstream
    if files is None:
        return None
    return ServerTls(
        files,
        name=upstream.server_name or host,
        is_implicit=upstream.tls == "implicit",
        announce=announce,
    )


def limits(config: Config) -> PoolLimits:
    """How many sessions with the server there are, and for how long."""
    upstream = config.upstream
    return PoolLimits(
        sessions=upstream.sessions,
        lifetime=upstream.session_lifetime,
        idle=upstream.idle_timeout,
        login_memory=upstream.login_memory,
        outage=config.timeouts.outage,
        # A change of hands costs a login: all have had their turn in half of a client's patience.
        patience=config.queue.max_wait / 2,
        resets=resets(config),
    )


def exchange_rules(
    config: Config, habits: Habits, reach: Reach, replays: ReplayMemory
) -> ExchangeRules:
    """How data is exchanged."""
    timeouts = config.timeouts
    return ExchangeRules(
        reach=reach,
        connect=timeouts.connect,
        stall=timeouts.stall,
        final=timeouts.final,
        goodbyes=habits.goodbyes,
        resumptions=habits.resumptions,
        habits=habits if resets(config) else None,
        vigilance=habits.vigilance if config.heal.downloads == "on" else None,
        upload_vigilance=habits.upload_vigilance if config.heal.uploads == "on" else None,
        replays=replays,
        dscp=config.dscp,
    )


def listing_ways(config: Config) -> ListingWays:
    """Which other ways a listing may come than over a data connection of its own."""
    upstream = config.upstream
    return ListingWays(
        by_stat=upstream.list_by_stat == "on", shared=upstream.share_listings == "on"
    )


def keeps_session(config: Config) -> bool:
    """Whether a client keeps one session with the server until it leaves."""
    return config.upstream.pooling == "session"


def site_harmless(config: Config) -> frozenset[str]:
    """Which SITE words leave no state in a session with the server."""
    return frozenset(config.upstream.site_harmless)


def membership(config: Config) -> Membership | None:
    """How the budget is shared with other instances; None: with nobody."""
    sharing, upstream = config.sharing, config.upstream
    if config.store is None:
        return None
    return Membership(
        store=config.store,
        group=sharing.group or f"{upstream.host}:{upstream.port}",
        terms=Terms(sharing.lease, OnStoreDown(sharing.on_store_down)),
        recovery=sharing.recovery,
        floor=sharing.floor,
        instances=sharing.instances,
        cuts=sharing.on_partition == "abort",
    )


def manners(config: Config, most_descriptors: int) -> Manners:
    """How clients are treated."""
    told = config.passive.address
    return Manners(
        idle=config.timeouts.idle,
        handshake=config.timeouts.connect,
        transfer_code=config.refusals.transfer_code,
        refusal_delay=config.refusals.delay,
        login_attempts=config.login.attempts,
        login_delay=config.login.delay,
        anonymous=config.login.anonymous,
        passive_address=None if told == "auto" else told,
        most_descriptors=most_descriptors,
    )
