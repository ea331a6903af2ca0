"""What two keys say together: sums that cannot work and orders that surprise.

Runs only on a configuration whose every value is right by itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from .check_servers import named_servers, server_side
from .clientside import Listen
from .document import Document
from .models import Config
from .problem import Path, Problem


def crosscheck(config: Config, document: Document) -> Iterator[Problem]:
    """Find every disagreement between keys."""
    yield from server_side(config, document, ())
    yield from named_servers(config, document)
    yield from _sharing(config, document)
    yield from _ports(config, document)
    yield from _listeners(config, document)
    yield from _status(config, document)
    yield from _classes(config, document)


def _sharing(config: Config, document: Document) -> Iterator[Problem]:
    sharing = config.sharing
    floors = sharing.instances * sharing.floor
    if sharing.floor and sharing.instances < 2:
        message = "with a floor the number of instances must be known: give sharing.instances"
        yield document.problem(("sharing", "floor"), message)
    elif floors > (limit := min(one.budget.limit for one in config.by_server.values())):
        message = (
            f"{sharing.instances} instances with a floor of {sharing.floor} are {floors} slots, "
            f"and the budget leaves {limit}"
        )
        yield document.problem(("sharing", "floor"), message)


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
