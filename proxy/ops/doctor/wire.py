"""The doctor's own sockets: connections, counted before they are made, and the control line.

Blocking, with a deadline for everything: one step is done after the other. Judges nothing.
"""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import suppress

from proxy.ftp.reply import Reply, ReplyError, ReplyReader
from proxy.refusals import NO_DESCRIPTOR

from .seen import Attempt, Met

_CHUNK = 65536


class LineLost(Exception):
    """The control connection is of no more use; the message says why."""


class LineSilent(LineLost):
    """No reply came in time."""


class NotFtp(LineLost):
    """What came is no reply."""


class Purse:
    """The connections that may still be made to the server without exceeding its budget.

    `room` None: nobody counts. Each attempt costs one, whatever becomes of it: firewalls count it.
    """

    def __init__(self, room: int | None) -> None:
        self._room = room
        self.spent = 0
        self.was_short = False

    def take(self) -> bool:
        """Pay for one connection; False: there is no room for it."""
        if self._room is not None and self.spent >= self._room:
            self.was_short = True
            return False
        self.spent += 1
        return True


class Dialler:
    """Connects to the server, each time from the same address and for as long as is allowed."""

    def __init__(self, purse: Purse, *, patience: float, source: str | None) -> None:
        self.purse = purse
        self.patience = patience
        self._source = source

    def connect(self, host: str, port: int) -> tuple[Attempt, socket.socket | None]:
        """Try once; `host` is a numeric address, so that one attempt is one connection."""
        if not self.purse.take():
            return Attempt(host, port, Met.NO_ROOM), None
        began = time.monotonic()
        source = (self._source, 0) if self._source else None
        try:
            sock = socket.create_connection((host, port), self.patience, source)
        except OSError as problem:
            met, words = _met(problem)
            return Attempt(host, port, met, time.monotonic() - began, words), None
        return Attempt(host, port, Met.ANSWER, time.monotonic() - began), sock


def _met(problem: OSError) -> tuple[Met, str]:
    if isinstance(problem, TimeoutError):
        return Met.SILENCE, ""
    if isinstance(problem, ConnectionRefusedError):
        return Met.REFUSAL, ""
    met = Met.NO_DESCRIPTOR if problem.errno in NO_DESCRIPTOR else Met.NO_WAY
    return met, problem.strerror or str(problem)


class ControlLine:
    """One control connection: lines go, replies come."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._replies = ReplyReader()
        self._ready: list[Reply] = []
        self.host, self.port = sock.getpeername()[:2]
        self.own_host = str(sock.getsockname()[0])

    def ask(self, line: str, patience: float) -> Reply:
        """Send a command and return its reply, preliminary or final."""
        self.send(line)
        return self.reply(patience)

    def send(self, line: str) -> None:
        """Send a command; a CR or LF in it is taken out, so that it stays one."""
        one = line.replace("\r", "").replace("\n", "")
        try:
            self._sock.settimeout(10.0)
            self._sock.sendall(one.encode("utf-8", "surrogateescape") + b"\r\n")
        except OSError as problem:
            raise LineLost(f"cannot send: {problem.strerror or problem}") from None

    def reply(self, patience: float) -> Reply:
        """Return the next reply; raise LineLost, LineSilent or NotFtp."""
        deadline = time.monotonic() + patience
        while not self._ready:
            left = deadline - time.monotonic()
            if left <= 0:
                raise LineSilent(f"no reply within {patience:g} s")
            self._read(left)
        return self._ready.pop(0)

    def secure(self, context: ssl.SSLContext, name: str, patience: float) -> str:
        """Shake hands; return the version of TLS; raise ssl.SSLError or OSError."""
        self._sock.settimeout(patience)
        # What was read in the clear behind the reply to AUTH may be anybody's (STARTTLS injection).
        self._ready.clear()
        secured = context.wrap_socket(self._sock, server_hostname=name)
        self._sock = secured
        return secured.version() or ""

    @property
    def tls(self) -> ssl.SSLSocket | None:
        """The TLS side of this connection, if it has one."""
        return self._sock if isinstance(self._sock, ssl.SSLSocket) else None

    @property
    def socket(self) -> socket.socket:
        """What to wait for together with others."""
        return self._sock

    @property
    def has_reply(self) -> bool:
        """Tell whether a reply was read that nobody has taken."""
        return bool(self._ready)

    def quit(self) -> None:
        """Say goodbye where that still works, and close."""
        with suppress(LineLost):
            self.ask("QUIT", 2.0)
        self.close()

    def close(self) -> None:
        """Close without a word."""
        self._sock.close()

    def _read(self, patience: float) -> None:
        self._sock.settimeout(patience)
        try:
            data = self._sock.recv(_CHUNK)
        except TimeoutError:
            return  # the caller's deadline tells
        except OSError as problem:
            raise LineLost(problem.strerror or str(problem)) from None
        if not data:
            raise LineLost("the server closed the connection")
        try:
            self._ready += self._replies.feed(data)
        except ReplyError as problem:
            raise NotFtp(str(problem)) from None
