"""Who may see the status page: a token where one is set, a local name where none is. Pure.

Without a token the page is on loopback only. There a browser on this machine is the way in for
strangers: a web page of theirs may look up its own name as 127.0.0.1 (DNS rebinding), so the name
that the browser asks for must be a local one. Requests that change something must carry a header
that no foreign page can send without being asked first.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from proxy.config import Address

COOKIE: Final = "ftpweir_token"
ACTION_HEADER: Final = "X-Ftpweir-Action"
# What load balancers and orchestrators ask; it says neither names nor figures.
OPEN_TO_ALL: Final = frozenset({"/healthz", "/readyz"})


class Verdict(Enum):
    """What becomes of a request."""

    WELCOME = auto()
    REMEMBER = auto()  # the token came in the address of a page: keep it as a cookie
    UNKNOWN = auto()  # 401
    FOREIGN = auto()  # 403: the name asked for is not a local one
    UNASKED = auto()  # 403: a change without the header


@dataclass(frozen=True, slots=True)
class Visit:
    """A request, as far as access goes. Header names in lower case."""

    method: str
    path: str
    host: str
    headers: Mapping[str, str]
    cookie: str
    query_token: str


class Doorkeeper:
    """Judges visits. `token` None: only local names are let in."""

    def __init__(self, token: str | None) -> None:
        self._token = token.encode() if token is not None else None

    def judge(self, visit: Visit) -> Verdict:
        """Tell what becomes of a request."""
        is_change = visit.method not in ("GET", "HEAD")
        if visit.path in OPEN_TO_ALL and not is_change:
            return Verdict.WELCOME
        if self._token is None:
            if not _is_local(visit.host):
                return Verdict.FOREIGN
        elif self._is_token(visit.query_token) and visit.method == "GET":
            return Verdict.REMEMBER
        elif not (
            self._is_token(_bearer(visit.headers.get("authorization", "")))
            or self._is_token(visit.cookie)
        ):
            return Verdict.UNKNOWN
        if is_change and ACTION_HEADER.lower() not in visit.headers:
            return Verdict.UNASKED
        return Verdict.WELCOME

    def _is_token(self, shown: str) -> bool:
        assert self._token is not None
        return hmac.compare_digest(shown.encode("utf-8", "surrogateescape"), self._token)


def _bearer(header: str) -> str:
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _is_local(host: str) -> bool:
    """Judge a Host header: RFC 9112 section 3.2 wants one, and its port does not matter."""
    name, colon, port = host.rpartition(":")
    if not colon or not port.isdecimal():
        name = host
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    return Address(name, 0).is_loopback
