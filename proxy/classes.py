"""Which class a client belongs to: the first whose networks and users match. Pure."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import lru_cache
from ipaddress import ip_address

from proxy.config import ClientClass
from proxy.session.gate import Source
from proxy.shaping.quota import Limits

# Sources that no class matches: everybody is somebody, with no caps of its own.
NOBODYS = ClientClass(name="unclassed")


def classifier(classes: tuple[ClientClass, ...]) -> Callable[[str, bytes], Source]:
    """Return the function from (address, user) to Source; before USER the user is empty."""
    limits = {
        one.name: Limits(one.sessions, one.transfers, one.transfers_per_minute, one.weight)
        for one in (*classes, NOBODYS)
    }

    @lru_cache(maxsize=4096)  # asked twice for each session; attackers cannot make it grow
    def classify(host: str, user: bytes) -> Source:
        found = next((one for one in classes if _matches(one, host, user)), NOBODYS)
        return Source(host, found.name, limits[found.name])

    return classify


def _matches(one: ClientClass, host: str, user: bytes) -> bool:
    if one.source:
        address = ip_address(host)
        if not any(address in network for network in one.source):
            return False
    if not one.user:
        return True
    name = user.decode("utf-8", "backslashreplace")
    return any(fnmatchcase(name, pattern) for pattern in one.user) if name else "*" in one.user
