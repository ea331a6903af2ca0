"""What keys about the servers say together: of each by itself, and of who gets which."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .document import Document
from .models import Config
from .problem import Path, Problem, Severity
from .units import show_duration

# curl 8.17 and later wait 60 s for a reply, counted from the command; the server needs some of it.
LONGEST_SAFE_WAIT = 50.0
# What the state files of further workers end with; the first has that of a single process.
WORKER = re.compile(r"worker(?!1$)[1-9][0-9]?")
EXPLICIT_PORT, IMPLICIT_PORT = 21, 990  # RFC 4217 section 2; IANA's ftps


def server_side(config: Config, document: Document, place: Path) -> Iterator[Problem]:
    """Find what cannot work between the keys of one server, which stand at that place."""
    yield from _budget(config, document, place)
    yield from _servers(config, document, place)
    yield from _queue(config, document, place)
    yield from _server_tls(config, document, place)


def named_servers(config: Config, document: Document) -> Iterator[Problem]:
    """Find what cannot work in `servers`."""
    seen: set[str] = set()
    names = {str(place): "the top level" for place in config.upstream.servers}
    addresses = {listen.address for listen in config.listen}
    asks_kernel = any(listen.transparent == "on" for listen in config.listen)
    for at, server in enumerate(config.servers):
        place: Path = ("servers", at)
        if server.name in seen:
            yield document.problem((*place, "name"), f"{server.name!r} names two servers")
        seen.add(server.name)
        for reached in map(str, server.upstream.servers):
            if (other := names.setdefault(reached, repr(server.name))) != repr(server.name):
                message = (
                    f"{reached} is there for {other} too: their budgets add up at its firewall"
                )
                yield document.problem((*place, "upstream", "host"), message, severity="warning")
        if server.match.is_empty:
            message = "fits everybody: say by which listener, user, host or address it is chosen"
            yield document.problem((*place, "match"), message)
        for number, address in enumerate(server.match.listen):
            if address not in addresses:
                message = f"{address} is no address of listen"
                yield document.problem((*place, "match", "listen", number), message)
        if server.match.redirected and not asks_kernel:
            message = "is never known: no listener is transparent"
            yield document.problem((*place, "match", "redirected"), message)
        if document.has(*place, "upstream", "ports"):
            message = "one range serves all servers: give it in the upstream of the top level"
            yield document.problem((*place, "upstream", "ports"), message)
        yield from server_side(config.by_server[server.name], document, place)
    yield from _state_files(config, document)


def _state_files(config: Config, document: Document) -> Iterator[Problem]:
    """Find two budgets that would be kept in one file."""
    owners: dict[str, str] = {}
    by_server = config.by_server
    for name, place in config.server_places.items():
        files = by_server[name].state_files
        if files and WORKER.fullmatch(name):
            message = f"{files[0]} is the state file of a worker too (--workers): choose another"
            yield document.problem((*place, "name"), message)
        for file in files:
            if (other := owners.setdefault(file, name)) != name:
                message = f"{file} is a state file of {other or 'the top level'} too"
                yield document.problem((*place, "name"), f"{message}: choose another name")


def _budget(config: Config, document: Document, place: Path) -> Iterator[Problem]:
    if document.has(*place, "budget", "profile") and document.has(*place, "budget", "time_wait"):
        message = "time_wait and profile say the same thing twice: keep one"
        yield document.problem((*place, "budget", "profile"), message)
    limit, sessions = config.budget.limit, config.upstream.sessions or 1
    if config.budget.enforce == "off" or limit > sessions:
        return
    # In shadow mode nothing waits, so it only spoils the report.
    severity: Severity = "error" if config.budget.enforce == "on" else "warning"
    message = (
        f"leaves {limit} after reserved and headroom, and upstream.sessions takes {sessions}: "
        "no transfer could ever run"
    )
    yield document.problem((*place, "budget", "connections"), message, severity=severity)


def _servers(config: Config, document: Document, place: Path) -> Iterator[Problem]:
    upstream = config.upstream
    for at, server in enumerate(upstream.servers[1:]):
        if server in upstream.servers[: at + 1]:
            yield document.problem((*place, "upstream", "standby", at), f"{server} is listed twice")
    for key in ("weight", "standby"):
        weights = upstream.weights[:1] if key == "weight" else upstream.weights[1:]
        if set(weights) <= {1.0} or (upstream.standby and upstream.spread != "failover"):
            continue
        told = "with spread: failover the order counts" if upstream.standby else "there is no other"
        message = f"a weight changes nothing: {told}"
        yield document.problem((*place, "upstream", key), message, severity="warning")
    if upstream.list_by_stat == "on" and upstream.standby and upstream.spread != "failover":
        message = "learns what one server's STAT tells: with several at work, keep it off"
        yield document.problem((*place, "upstream", "list_by_stat"), message)


def _queue(config: Config, document: Document, place: Path) -> Iterator[Problem]:
    wait = config.queue.max_wait
    # What a server takes over from the top level is told there.
    if wait > LONGEST_SAFE_WAIT and document.has(*place, "queue"):
        message = f"curl 8.17 and later give up after 60s, and {show_duration(wait)} is too near"
        yield document.problem((*place, "queue", "max_wait"), message, severity="warning")


def _server_tls(config: Config, document: Document, place: Path) -> Iterator[Problem]:
    upstream = config.upstream
    for port in {server.port for server in upstream.servers}:
        message = ""
        if port == IMPLICIT_PORT and upstream.tls != "implicit":
            message = f"servers at port {port} mostly speak TLS from the first byte: implicit"
        elif port == EXPLICIT_PORT and upstream.tls == "implicit":
            message = f"servers at port {port} mostly speak TLS only behind AUTH: explicit"
        if message:
            yield document.problem((*place, "upstream", "tls"), message, severity="warning")
    if upstream.tls == "off":
        for key in ("verify", "ca", "server_name", "certificate", "key"):
            if getattr(upstream, key) not in (None, "on"):
                message = f"{key} is not used while tls is off"
                yield document.problem((*place, "upstream", key), message, severity="warning")
    elif upstream.verify == "off":
        message = "anybody on the way can pose as the server: better give its authority in `ca`"
        yield document.problem((*place, "upstream", "verify"), message, severity="warning")
    elif upstream.key is not None and upstream.certificate is None:
        message = "a key without a certificate is not used"
        yield document.problem((*place, "upstream", "key"), message, severity="warning")
