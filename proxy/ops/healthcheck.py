"""Is the proxy well? Asked from outside, as its clients meet it: connect, hear 220, say QUIT.

Of several workers a client meets one; whether the others are well, the status page knows.
"""

from __future__ import annotations

import contextlib
import http.client
import socket

from proxy.config import Address

LONGEST = 4096  # bytes of a greeting


class Unwell(Exception):
    """It is not; the message says what came instead of a greeting."""


def check_greeting(host: str, port: int, patience: float, first: bytes = b"") -> str:
    """Return the greeting; raise Unwell. `first` is said before it: a balancer's header."""
    try:
        with socket.create_connection((host, port), timeout=patience) as sock:
            sock.sendall(first)
            greeting = _line(sock)
            sock.sendall(b"QUIT\r\n")
    except OSError as problem:
        raise Unwell(problem.strerror or str(problem) or type(problem).__name__) from None
    if not greeting.startswith("220"):
        raise Unwell(f"it greets with {greeting!r}")
    return greeting


def check_page(place: Address, patience: float) -> None:
    """Raise Unwell if the status page there says so; that nobody has one is no matter."""
    with (
        contextlib.suppress(OSError, http.client.HTTPException),
        contextlib.closing(http.client.HTTPConnection(place.host, place.port, patience)) as line,
    ):
        line.request("GET", "/healthz")
        answer = line.getresponse()
        if answer.status == http.client.SERVICE_UNAVAILABLE:
            raise Unwell(answer.read(LONGEST).decode("ascii", "replace").strip())


def _line(sock: socket.socket) -> str:
    said = b""
    while b"\n" not in said and len(said) < LONGEST:
        more = sock.recv(LONGEST)
        if not more:
            break
        said += more
    return said.partition(b"\r\n")[0].decode("ascii", "replace")
