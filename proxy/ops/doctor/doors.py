"""ftpweir's own front doors: does it listen, does it greet, how many descriptors has it left?

A visit costs a client session for a moment, and nothing at the server.
"""

from __future__ import annotations

import errno
import socket

from proxy.config import Address

from ..metrics.socket_table import LISTEN
from .machine import descriptors_of, owner, sockets
from .seen import Attempt, Door, Greeter, Greeting, Met
from .visit import greet
from .wire import ControlLine, Dialler, Purse

GREETS = "ftpweir"  # in the words of its greeting
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
# In use, or not for this user: then ftpweir itself may be the one that listens.
_SOMEBODY_MAY_BE_THERE = frozenset({errno.EADDRINUSE, errno.EACCES})
_WAIT = 6.0  # seconds: a refusal is held back for `refusals.delay`, 2 s by default


def look_at_door(address: Address, *, is_plain: bool, patience: float = _WAIT) -> Door:
    """Knock at one address of `listen`; where nobody opens, see whether we could listen there.

    A door that is not plain (TLS from the first byte, a PROXY header) is not spoken to.
    """
    place = str(address)
    host = _numeric(_EVERYWHERE.get(address.host, address.host))
    error = _why_not_bound(address)
    words = (error.strerror or str(error)) if error else ""
    if error is not None and error.errno not in _SOMEBODY_MAY_BE_THERE:
        # Of another machine, or of none: nobody there is asked.
        return Door(place, Attempt(host, address.port, Met.NO_WAY, words=words), bind_error=words)
    dialler = Dialler(Purse(None), patience=patience, source=None)
    attempt, sock = dialler.connect(host, address.port)
    if sock is None:
        return Door(
            place,
            attempt,
            bind_error=words,
            bind_is_taken=error is not None and error.errno == errno.EADDRINUSE,
            bind_is_denied=error is not None and error.errno == errno.EACCES,
        )
    line = ControlLine(sock)
    try:
        greeting = greet(line, patience) if is_plain else None
    finally:
        line.close()
    pid = _who_listens(address.port)
    room = descriptors_of(pid) if pid is not None else None
    return Door(
        place,
        attempt,
        greeting=greeting,
        is_ours=greeting is not None and GREETS in greeting.words or _is_refusal(greeting),
        pid=pid,
        descriptors_open=room[0] if room else None,
        descriptors_limit=room[1] if room else None,
    )


def _is_refusal(greeting: Greeting | None) -> bool:
    """Tell ftpweir's refusal, which ends in a reference, from that of a stranger."""
    return (
        greeting is not None
        and greeting.greeter is Greeter.FTP
        and greeting.code == 421
        and "Ref " in greeting.words
    )


def _numeric(host: str) -> str:
    try:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
    except OSError:
        return host


def _why_not_bound(address: Address) -> OSError | None:
    """Return why we could not listen there; None: we could."""
    try:
        family, _, _, _, place = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        socket.create_server(place[:2], family=family).close()
    except OSError as problem:
        return problem
    return None


def _who_listens(port: int) -> int | None:
    inodes = (one.inode for one in sockets() if one.state == LISTEN and one.port == port)
    return next((pid for inode in inodes if (pid := owner(inode)) is not None), None)
