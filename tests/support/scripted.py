"""A small FTP server whose every answer a test may script: an upstream that can misbehave anywhere.

A peer on real loopback sockets, in the test's own loop. It obeys one command at a time and does
not look at the control line during a transfer, as vsftpd does. Never checks what a client may do.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections import deque
from collections.abc import AsyncIterator, Callable
from functools import partial

from proxy.net.tls import TlsFault, TlsWire

from .honest import CHUNK as CHUNK
from .honest import GREETING as GREETING
from .honest import HONEST, HangUp
from .honest import Handler as Handler

PATIENCE = 30.0  # seconds after which a test fails rather than hangs
RESET = struct.pack("ii", 1, 0)


class Visit:
    """One control connection, with the state that a server keeps for it."""

    def __init__(self, server: Scripted, sock: socket.socket, number: int) -> None:
        self.server = server
        self.number = number
        self.user = b""
        self.cwd = b"/"
        self.type = b"A"
        self.offset = 0
        self.renaming = b""
        self.lines: list[bytes] = []
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._received = b""
        self._tls: TlsWire | None = None
        self._listening: socket.socket | None = None
        self._active: tuple[str, int] | None = None

    # What handlers say and do.

    async def say(self, text: str) -> None:
        """Send one reply line."""
        await self.send(text.encode() + b"\r\n")

    async def send(self, data: bytes) -> None:
        """Send bytes, whatever they mean."""
        if self._tls is not None:
            self._tls.write(data)
            data = self._tls.take_outgoing()
        await self._loop.sock_sendall(self._sock, data)

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Protect the control connection from here on."""
        self._tls = TlsWire(context, is_server=True)
        while not self._tls.is_open:
            data = await self._loop.sock_recv(self._sock, CHUNK)
            if not data:
                raise HangUp
            try:
                self._tls.feed(data)
            except TlsFault:
                raise HangUp from None
            await self.send(b"")

    async def protected_data(self, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
        """Open the data connection in TLS; what is returned blocks, so use it in a thread.

        A session is resumed in its own context only: with another one it is forgotten.
        """
        assert self._tls is not None
        sock = await self.data()
        sock.setblocking(True)
        context = context or self._tls.context
        shake_hands = partial(context.wrap_socket, sock, server_side=True)
        return await asyncio.to_thread(shake_hands, suppress_ragged_eofs=False)

    def path(self, name: bytes) -> bytes:
        """Return the absolute path of a name in this visit's directory."""
        return name if name.startswith(b"/") else self.cwd.rstrip(b"/") + b"/" + name

    def listen(self) -> int:
        """Open a passive port and return its number."""
        self.forget_data()
        sock = socket.create_server((self.server.host, 0))
        sock.setblocking(False)
        self._listening = sock
        return int(sock.getsockname()[1])

    def point_at(self, host: str, port: int) -> None:
        """Remember where PORT wants the data."""
        self.forget_data()
        self._active = (host, port)

    async def data(self) -> socket.socket:
        """Open the data connection that was agreed on."""
        if self._active is not None:
            sock = socket.socket()
            sock.setblocking(False)
            try:
                await self._loop.sock_connect(sock, self._active)
            except BaseException:
                sock.close()
                raise
        else:
            assert self._listening is not None
            sock, _ = await self._loop.sock_accept(self._listening)
            sock.setblocking(False)
        self.server.data_connections += 1
        self.server.notice()
        return sock

    @property
    def has_data_port(self) -> bool:
        """Tell whether a data connection was agreed on."""
        return self._listening is not None or self._active is not None

    def forget_data(self) -> None:
        """Close the passive port, if any."""
        if self._listening is not None:
            self._listening.close()
        self._listening = self._active = None

    async def obey_normally(self, verb: str, argument: bytes) -> None:
        """Do what an honest server does."""
        await HONEST[verb](self, argument) if verb in HONEST else await self.say("502 No.")

    # Its life.

    async def run(self) -> None:
        """Greet, and obey until one side has enough."""
        with contextlib.suppress(ConnectionError, HangUp):
            await self.obey(GREETING, b"")
            while (line := await self._next_line()) is not None:
                self.lines.append(line)
                verb, _, argument = line.partition(b" ")
                self.server.heard(verb.decode().upper())
                await self.obey(verb.decode().upper(), argument)

    async def obey(self, verb: str, argument: bytes) -> None:
        """Run what the test wants for this verb once, or always, or else what is honest."""
        planned = self.server.once.get(verb)
        handler = planned.popleft() if planned else self.server.always.get(verb)
        if handler is None:
            await self.obey_normally(verb, argument)
        else:
            await handler(self, argument)

    async def read(self) -> bytes:
        """Return what came on the control connection; empty at its end."""
        if self._tls is None:
            return await self._loop.sock_recv(self._sock, CHUNK)
        while not (words := self._tls.read()) and not self._tls.has_ended:
            data = await self._loop.sock_recv(self._sock, CHUNK)
            if not data:
                return b""
            self._tls.feed(data)
        return words

    def leave(self) -> None:
        """Send FIN now, from outside the visit: its next reading is its last."""
        self._sock.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """Hang up, whatever is going on."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self, *, reset: bool = False) -> None:
        """Close everything."""
        self.forget_data()
        if reset:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._sock.close()

    async def _next_line(self) -> bytes | None:
        while b"\r\n" not in self._received:
            data = await self.read()
            if not data:
                return None
            self._received += data
        line, _, self._received = self._received.partition(b"\r\n")
        return line


class Scripted:
    """The server: files, scripts by verb, and counts of what it saw."""

    def __init__(self) -> None:
        self.host, self.port = "127.0.0.1", 0
        self.files: dict[bytes, bytes] = {}
        self.modified = "20260101000000"  # what MDTM says of every file
        self.passwords: dict[bytes, bytes] = {}  # empty: every password is right
        self.always: dict[str, Handler] = {}
        self.once: dict[str, deque[Handler]] = {}
        self.visits: list[Visit] = []
        self.here: set[Visit] = set()
        self.most = 0  # control connections at once
        self.logins = 0
        self.data_connections = 0
        self.verbs: list[str] = []  # of all visits, in order of arrival
        self._changed = asyncio.Event()

    def plan(self, verb: str, *handlers: Handler) -> None:
        """Run each handler once, in this order, for the next such commands."""
        self.once.setdefault(verb, deque()).extend(handlers)

    @property
    def total(self) -> int:
        """How many control connections there have been."""
        return len(self.visits)

    def count(self, verb: str) -> int:
        """How often a verb was heard."""
        return self.verbs.count(verb)

    async def until(self, true: Callable[[], object]) -> None:
        """Return once `true()` is, asked anew whenever something happened here."""
        async with asyncio.timeout(PATIENCE):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    async def until_heard(self, verb: str, times: int = 1) -> None:
        """Return once the verb was heard so often."""
        await self.until(lambda: self.count(verb) >= times)

    def heard(self, verb: str) -> None:
        """Note a verb."""
        self.verbs.append(verb)
        self.notice()

    def notice(self) -> None:
        """Something has changed: let those who wait look again."""
        self._changed.set()

    async def receive(self, listening: socket.socket) -> None:
        """Welcome visitors until cancelled, one task each."""
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    sock = await _accepted(listening)
                    visit = Visit(self, sock, len(self.visits) + 1)
                    self.visits.append(visit)
                    tasks.create_task(self._host(visit))
        finally:
            for visit in self.visits:
                visit.close()  # whose task was cancelled before its first step cannot do it

    async def _host(self, visit: Visit) -> None:
        self.here.add(visit)
        self.most = max(self.most, len(self.here))
        self.notice()
        try:
            await visit.run()
        finally:
            self.here.discard(visit)
            visit.close()
            self.notice()


async def _accepted(listening: socket.socket) -> socket.socket:
    """Accept one connection. The loop's own `sock_accept` loses it to whoever is cancelled then."""
    loop = asyncio.get_running_loop()
    while True:
        with contextlib.suppress(BlockingIOError):
            sock, _ = listening.accept()
            sock.setblocking(False)
            return sock
        knocked = asyncio.Event()
        loop.add_reader(listening, knocked.set)
        try:
            await knocked.wait()
        finally:
            loop.remove_reader(listening)


@contextlib.asynccontextmanager
async def scripted(files: dict[bytes, bytes] | None = None) -> AsyncIterator[Scripted]:
    """Run a scripted server for the length of the block."""
    server = Scripted()
    server.files.update(files or {})
    with socket.create_server((server.host, 0), backlog=512) as listening:
        listening.setblocking(False)
        server.port = listening.getsockname()[1]
        async with asyncio.TaskGroup() as tasks:
            receiver = tasks.create_task(server.receive(listening))
            yield server
            receiver.cancel()
