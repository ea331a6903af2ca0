"""Finds the login that the doctor tries: environment, netrc, or a question. Never an argument:
everybody on a machine can read those.
"""

from __future__ import annotations

import netrc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

VARIABLE = "FTPWEIR_PASSWORD"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A login. The password is in no text made of it."""

    user: str
    password: str = field(repr=False)


class NoPassword(Exception):
    """A user is given and no password can be had; the message says how to give one."""


def find_credentials(
    host: str,
    user: str | None,
    *,
    environment: Mapping[str, str],
    ask: Callable[[str], str] | None,
) -> Credentials | None:
    """Return the login for a host; None: there is no user to try. `ask` None: nobody is there."""
    known = _from_netrc(host, environment)
    if user is None:
        return known
    if (password := environment.get(VARIABLE)) is not None:
        return Credentials(user, password)
    if known is not None and known.user == user:
        return known
    if ask is None:
        raise NoPassword(f"no password for {user}: put it into {VARIABLE} or ~/.netrc")
    return Credentials(user, ask(f"Password of {user} at {host}"))


def _from_netrc(host: str, environment: Mapping[str, str]) -> Credentials | None:
    place = environment.get("NETRC") or str(Path(environment.get("HOME", "/")) / ".netrc")
    try:
        # Its `default` entry is for anybody: a password is not for strangers.
        hosts = netrc.netrc(place).hosts
    except (OSError, netrc.NetrcParseError):
        return None
    if host not in hosts:
        return None
    user, _, password = hosts[host]
    return Credentials(user, password or "") if user else None
