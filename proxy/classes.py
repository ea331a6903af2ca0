"""Which class a client belongs to: the first whose networks and users match. Pure."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import lru_cache
from ipaddress import ip_address

from proxy.config import ClientClass
from proxy.ftp.permissions import Permissions
from proxy.ftp.protection import Require
from proxy.gate.request import Source
from proxy.shaping.quota import Limits

NO_LIMITS = Limits()


def classifier(classes: tuple[ClientClass, ...]) -> Callable[[str, bytes], Source]:
    """Return the function from (address, user) to Source; before USER the user is empty."""
    limits = {
        one.name: Limits(
            sessions=one.sessions,
            transfers=one.transfers,
            transfers_per_minute=one.transfers_per_minute,
            weight=one.weight,
            bandwidth=one.bandwidth,
        )
        for one in classes
    }

    permissions = {
        one.name: Permissions(one.read_only == "on", frozenset(one.deny), frozenset(one.allow))
        for one in classes
    }

    @lru_cache(maxsize=4096)  # asked twice for each session; attackers cannot make it grow
    def classify(host: str, user: bytes) -> Source:
        for one in classes:
            if _matches(one, host, user):
                return Source(
                    host,
                    one.name,
                    limits[one.name],
                    permissions[one.name],
                    Require(one.require),
                )
        return Source(host, "", NO_LIMITS)  # may still match once its user is known

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
