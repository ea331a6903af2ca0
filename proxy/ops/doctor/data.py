"""Data connections: agrees on one, opens it, lists over it, ends it by FIN or reset.

What comes is counted and thrown away. LineLost passes through.
"""

from __future__ import annotations

import random
import select
import socket
import ssl
import struct
import time
from contextlib import suppress
from dataclasses import dataclass, replace

from proxy.config import PortRange
from proxy.ftp.address import (
    Endpoint,
    canonical,
    format_eprt,
    format_port,
    parse_extended_passive,
    parse_passive,
)
from proxy.ftp.reply import Reply, ReplyError

from ..metrics.socket_table import TIME_WAIT
from .machine import sockets
from .seen import Attempt, Data, Met
from .wire import ControlLine, Dialler, LineLost

_RESET = struct.pack("ii", 1, 0)
_CHUNK = 1 << 16
_ENOUGH = 16 << 20  # bytes of a listing: more proves nothing
_PROMPT = 1.0  # seconds within which a server that does not wait for our close says 226
_TRIES = 20  # ports tried before the range is taken for used up


@dataclass(frozen=True, slots=True)
class Manner:
    """How long to wait, and how TLS is done on data connections; None: it is not."""

    connect: float
    reply: float
    tls: ssl.SSLContext | None = None


class DataVisit:
    """The data connections of one control line."""

    def __init__(self, line: ControlLine, dialler: Dialler, manner: Manner) -> None:
        self._line = line
        self._dialler = dialler
        self._manner = manner

    def list_passively(self, verb: str, close: str) -> Data:
        """List over PASV or EPSV; `close` is fin or reset."""
        data, sock = self.open_passively(verb)
        if sock is None:
            return data
        return self._list(replace(data, close=close), sock)

    def open_passively(self, verb: str) -> tuple[Data, socket.socket | None]:
        """Agree on a port and connect to it, at the host that the control connection leads to."""
        reply = self._line.ask(verb, self._manner.reply)
        data = Data(verb, f"{reply.code} {reply.words}")
        try:
            if verb == "PASV":
                told = parse_passive(reply)
            else:
                told = Endpoint("", parse_extended_passive(reply))
        except ReplyError:
            return data, None
        attempt, sock = self._dialler.connect(self._line.host, told.port)
        return replace(data, is_agreed=True, told=told.host, attempt=attempt), sock

    def list_actively(self, ports: PortRange) -> Data:
        """Listen, tell the server where, and list."""
        own = Endpoint(canonical(self._line.own_host), 1)
        verb = "EPRT" if own.is_ipv6 else "PORT"
        if not self._dialler.purse.take():
            return Data(verb, "", attempt=Attempt(own.host, 0, Met.NO_ROOM))
        listener = _listen(self._line.own_host, ports)
        if listener is None:
            words = f"no port of {ports.first}-{ports.last} can be bound"
            return Data(verb, "", attempt=Attempt(own.host, ports.first, Met.NO_WAY, 0.0, words))
        with listener:
            place = Endpoint(own.host, listener.getsockname()[1])
            argument = format_eprt(place) if own.is_ipv6 else format_port(place)
            reply = self._line.ask(f"{verb} {argument.decode()}", self._manner.reply)
            data = Data(verb, f"{reply.code} {reply.words}", is_agreed=reply.is_success)
            if not reply.is_success:
                return data
            return self._list_to(listener, place, data)

    def _list_to(self, listener: socket.socket, place: Endpoint, data: Data) -> Data:
        """Let the server connect; its refusal may come instead."""
        self._line.send("LIST")
        began = time.monotonic()
        deadline = began + self._manner.connect
        first: Reply | None = None
        while (left := deadline - time.monotonic()) > 0:
            # Once the 150 is read, only the connection itself is waited for.
            waited = [listener] if first else [listener, self._line.socket]
            ready, _, _ = select.select(waited, [], [], left)
            if listener in ready:
                sock, (peer, *_) = listener.accept()
                seconds = time.monotonic() - began
                attempt = Attempt(place.host, place.port, Met.ANSWER, seconds, f"from {peer}")
                return self._finish(replace(data, attempt=attempt), sock, first)
            if ready and (first := self._line.reply(self._manner.reply)).is_refusal:
                break
        met = Attempt(place.host, place.port, Met.SILENCE, time.monotonic() - began)
        if first is None or first.is_preliminary:
            with suppress(LineLost):  # the server may still be trying: its 425 takes its time
                first = self._line.reply(self._manner.connect)
        code, words = (first.code, first.words) if first else (0, "")
        return replace(data, attempt=met, code=code, words=words)

    def _list(self, data: Data, sock: socket.socket) -> Data:
        self._line.send("LIST")
        return self._finish(data, sock, None)

    def _finish(self, data: Data, sock: socket.socket, first: Reply | None) -> Data:
        """Read to the end, close, and note in which order the server's words came."""
        reply = first or self._reply_or_close(sock)
        if not reply.is_preliminary:
            sock.close()
            return replace(data, code=reply.code, words=reply.words)
        try:
            sock = self.protect(sock)
        except OSError as problem:
            sock.close()
            final = self._line.reply(self._manner.reply)
            why = getattr(problem, "reason", None) or str(problem)
            return replace(data, code=final.code, words=final.words, tls_failure=str(why))
        size, ended = _read_to_end(sock, self._manner.reply)
        prompt = self._prompt_reply()
        ends = _ends(sock)
        if data.close == "reset" and ended:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        sock.close()
        final = self._line.reply(self._manner.reply) if prompt is None else prompt
        return replace(
            data,
            code=final.code,
            words=final.words,
            size=size,
            server_closed_first=ended,
            waits_for_us=prompt is None,
            our_time_wait=_keeps_time_wait(*ends) if ends else None,
        )

    def protect(self, sock: socket.socket) -> socket.socket:
        """Begin TLS on a data connection, in the control connection's TLS session."""
        context, control = self._manner.tls, self._line.tls
        if context is None or control is None:
            return sock
        sock.settimeout(self._manner.connect)
        return context.wrap_socket(
            sock, server_hostname=control.server_hostname, session=control.session
        )

    def _reply_or_close(self, sock: socket.socket) -> Reply:
        try:
            return self._line.reply(self._manner.reply)
        except LineLost:
            sock.close()
            raise

    def _prompt_reply(self) -> Reply | None:
        """Return the final reply if it comes without our close (proftpd waits for that)."""
        if not self._line.has_reply:
            readable, _, _ = select.select([self._line.socket], [], [], _PROMPT)
            if not readable and not (self._line.tls and self._line.tls.pending()):
                return None
        return self._line.reply(self._manner.reply)


def _listen(host: str, ports: PortRange) -> socket.socket | None:
    """Bind a random port of the range, as the proxy would."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    chance = random.SystemRandom()
    for _ in range(_TRIES):
        with suppress(OSError):
            return socket.create_server(
                (host, chance.randint(ports.first, ports.last)), family=family
            )
    return None


def _read_to_end(sock: socket.socket, patience: float) -> tuple[int, bool]:
    """Count bytes up to the server's FIN; False: it never came, or the connection broke."""
    size, deadline = 0, time.monotonic() + patience
    while size < _ENOUGH and (left := deadline - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            data = sock.recv(_CHUNK)
        except ssl.SSLEOFError:
            return size, True  # no close_notify: rude, and common
        except OSError:
            return size, False
        if not data:
            # The FIN is acknowledged at once: vsftpd waits for that before its 226.
            if hasattr(socket, "TCP_QUICKACK"):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            return size, True
        size += len(data)
    return size, False


def _ends(sock: socket.socket) -> tuple[int, int] | None:
    with suppress(OSError):
        return int(sock.getsockname()[1]), int(sock.getpeername()[1])
    return None


def _keeps_time_wait(own_port: int, their_port: int) -> bool | None:
    """Tell whether this side keeps TIME_WAIT of a connection; None: the table cannot be read."""
    table = sockets()
    ends = (own_port, their_port, TIME_WAIT)
    return any((one.port, one.peer_port, one.state) == ends for one in table) if table else None
