"""What two keys say together: sums that cannot work and orders that surprise.

Runs only on a configuration whose every value is right by itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from .clientside import Listen
from .document import Document
from .models import Config
from .problem import Path, Problem, Severity
from .units import show_duration

# curl 8.17 and later wait 60 s for a reply, counted from the command; the server needs some of it.
LONGEST_SAFE_WAIT = 50.0
EXPLICIT_PORT, IMPLICIT_PORT = 21, 990  # RFC 4217 section 2; IANA's ftps


def crosscheck(config: Config, document: Document) -> Iterator[Problem]:
    """Find every disagreement between keys."""
    yield from _budget(config, document)
    yield from _servers(config, document)
    yield from _sharing(config, document)
    yield from _queue(config, document)
    yield from _ports(config, document)
    yield from _listeners(config, document)
    yield from _server_tls(config, document)
    yield from _status(config, document)
    yield from _classes(config, document)


def _budget(config: Config, document: Document) -> Iterator[Problem]:
    if document.has("budget", "profile") and document.has("budget", "time_wait"):
        message = "time_wait and profile say the same thing twice: keep one"
        yield document.problem(("budget", "profile"), message)
    limit, sessions = config.budget.limit, config.upstream.sessions or 1
    if config.budget.enforce == "off" or limit > sessions:
        return
    # In shadow mode nothing waits, so it only spoils the report.
    severity: Severity = "error" if config.budget.enforce == "on" else "warning"
    message = (
        f"leaves {limit} after reserved and headroom, and upstream.sessions takes {sessions}: "
        "no transfer could ever run"
    )
    yield document.problem(("budget", "connections"), message, severity=severity)


def _servers(config: Config, document: Document) -> Iterator[Problem]:
    upstream = config.upstream
    for at, server in enumerate(upstream.standby):
        if server in upstream.servers[: at + 1]:
            yield document.problem(("upstream", "standby", at), f"{server} is listed twice")
    if upstream.list_by_stat == "on" and upstream.standby and upstream.spread != "failover":
        message = "learns what one server's STAT tells: with several at work, keep it off"
        yield document.problem(("upstream", "list_by_stat"), message)


def _sharing(config: Config, document: Document) -> Iterator[Problem]:
    sharing = config.sharing
    floors = sharing.instances * sharing.floor
    if sharing.floor and sharing.instances < 2:
        message = "with a floor the number of instances must be known: give sharing.instances"
        yield document.problem(("sharing", "floor"), message)
    elif floors > config.budget.limit:
        message = (
            f"{sharing.instances} instances with a floor of {sharing.floor} are {floors} slots, "
            f"and the budget leaves {config.budget.limit}"
        )
        yield document.problem(("sharing", "floor"), message)


def _queue(config: Config, document: Document) -> Iterator[Problem]:
    wait = config.queue.max_wait
    if wait > LONGEST_SAFE_WAIT:
        message = f"curl 8.17 and later give up after 60s, and {show_duration(wait)} is too near"
        yield document.problem(("queue", "max_wait"), message, severity="warning")


def _ports(config: Config, document: Document) -> Iterator[Problem]:
    ranges = {"passive": config.passive.ports}
    # In passive mode nobody listens for the server.
    if config.upstream.data != "passive":
        ranges["upstream"] = config.upstream.ports
        if ranges["upstream"].overlaps(ranges["passive"]):
            message = f"overlaps upstream.ports {ranges['upstream']}: each needs ports of its own"
            yield document.problem(("passive", "ports"), message)
    for section, ports in ranges.items():
        for listen in config.listen:
            if listen.address.port in ports:
                message = f"contains the port of listen {listen.address}"
                yield document.problem((section, "ports"), message)


def _listeners(config: Config, document: Document) -> Iterator[Problem]:
    seen = set()
    for at, listen in enumerate(config.listen):
        if listen.address in seen:
            yield document.problem(("listen", at), f"{listen.address} is listed twice")
        if listen.address.port:
            seen.add(listen.address)
        if listen.proxy_protocol == "on" and not listen.trusted:
            message = "trusts nobody, so no header is ever read: name the balancers in `trusted`"
            yield document.problem(("listen", at, "proxy_protocol"), message)
        if listen.trusted and listen.proxy_protocol == "off":
            message = "changes nothing while proxy_protocol is off"
            yield document.problem(("listen", at, "trusted"), message, severity="warning")
        yield from _client_tls(listen, ("listen", at), document)


def _client_tls(listen: Listen, place: Path, document: Document) -> Iterator[Problem]:
    if listen.tls != "off":
        if listen.certificate is None:
            message = f"tls: {listen.tls} needs a certificate to show to clients"
            yield document.problem((*place, "tls"), message)
        return
    if listen.require != "none":
        message = f"require: {listen.require} would refuse everybody while tls is off"
        yield document.problem((*place, "require"), message)
    for key in ("certificate", "key", "client_ca"):
        if getattr(listen, key) is not None:
            message = f"{key} is not used while tls is off"
            yield document.problem((*place, key), message, severity="warning")


def _status(config: Config, document: Document) -> Iterator[Problem]:
    status = config.status
    if status is None:
        return
    place, path = status.address, ("status", "address")
    if status.token is None and not place.is_loopback:
        message = (
            f"{place} is open to others: write {{address: {place}, token: ${{FTPWEIR_TOKEN}}}}, "
            "or stay on 127.0.0.1"
        )
        yield document.problem(path, message)
    if place.port and any(place == listen.address for listen in config.listen):
        yield document.problem(path, f"{place} is an address of listen too")
    if place.port in config.passive.ports:
        yield document.problem(path, f"its port is one of passive.ports {config.passive.ports}")


def _server_tls(config: Config, document: Document) -> Iterator[Problem]:
    upstream = config.upstream
    for port in {server.port for server in upstream.servers}:
        message = ""
        if port == IMPLICIT_PORT and upstream.tls != "implicit":
            message = f"servers at port {port} mostly speak TLS from the first byte: implicit"
        elif port == EXPLICIT_PORT and upstream.tls == "implicit":
            message = f"servers at port {port} mostly speak TLS only behind AUTH: explicit"
        if message:
            yield document.problem(("upstream", "tls"), message, severity="warning")
    if upstream.tls == "off":
        for key in ("verify", "ca", "server_name", "certificate", "key"):
            if getattr(upstream, key) not in (None, "on"):
                message = f"{key} is not used while tls is off"
                yield document.problem(("upstream", key), message, severity="warning")
    elif upstream.verify == "off":
        message = "anybody on the way can pose as the server: better give its authority in `ca`"
        yield document.problem(("upstream", "verify"), message, severity="warning")
    elif upstream.key is not None and upstream.certificate is None:
        message = "a key without a certificate is not used"
        yield document.problem(("upstream", "key"), message, severity="warning")


def _classes(config: Config, document: Document) -> Iterator[Problem]:
    seen: set[str] = set()
    shadow: str | None = None
    for at, each in enumerate(config.clients):
        if each.name in seen:
            yield document.problem(("clients", at, "name"), f"{each.name!r} names two classes")
        if shadow is not None:
            message = f"never matches: {shadow!r} above it matches everybody"
            yield document.problem(("clients", at, "name"), message, severity="warning")
        if each.require != "none" and all(listen.tls == "off" for listen in config.listen):
            message = f"{each.require} would refuse this class: no listener offers TLS"
            yield document.problem(("clients", at, "require"), message)
        seen.add(each.name)
        if shadow is None and each.matches_everybody:
            shadow = each.name
    if shadow is None:
        last = len(config.clients) - 1
        message = (
            "the last class does not match everybody, so some clients are in none: "
            "add one without source and user"
        )
        yield document.problem(("clients", last, "name"), message, severity="warning")
