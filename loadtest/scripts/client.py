"""A fast FTP client for one script: speaks, waits, and notices what was not meant for it.

It never retries and never measures itself against anything: script.py decides, this obeys. Replies
are parsed here and not by the proxy's own code, because the proxy is what is being tested.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections import deque
from dataclasses import dataclass
from typing import cast

from .data import DataEnd

PASV_ADDRESS = re.compile(r"(\d+),(\d+),(\d+),(\d+),(\d+),(\d+)")
# The embedded server ends replies about a file with its path.
STAMP = re.compile(r"\[(/[^\]]*)\]$")
LONGEST_REPLY = 64 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply; of several lines the last one's text, or the first one's if that is empty."""

    code: int
    text: str

    @property
    def is_good(self) -> bool:
        """Whether the server agrees, so far."""
        return self.code < 400

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class Refusal(Exception):
    """The server said no; carries its reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


class Gone(Exception):
    """The control connection has ended, or what came over it was no FTP."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a client goes, and from which address."""

    host: str
    port: int
    source: str | None = None


class Session(asyncio.Protocol):
    """One control connection. `strange` collects replies that no command of ours asked for."""

    def __init__(self) -> None:
        self.strange: list[str] = []
        self.heard: deque[str] = deque(maxlen=4)  # the replies before the last one
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._buffer = bytearray()
        self._multi: tuple[bytes, str] | None = None
        self._end: Gone | None = None
        self._owed = 1  # the greeting
        self._transport: asyncio.Transport | None = None
        self._host = ""
        self._source: str | None = None

    @classmethod
    async def connect(cls, place: Place) -> Session:
        """Open a control connection and return once it has greeted. Raises Refusal, Gone."""
        loop = asyncio.get_running_loop()
        local = (place.source, 0) if place.source else None
        try:
            _, session = await loop.create_connection(
                cls, place.host, place.port, local_addr=local, family=socket.AF_UNSPEC
            )
        except OSError as error:
            raise Gone(f"cannot connect: {error.strerror or error}") from error
        session._host, session._source = place.host, place.source
        try:
            session._expect(await session.reply())
        except BaseException:
            session.drop()
            raise
        return session

    @property
    def is_alive(self) -> bool:
        """Whether the connection still stands."""
        return self._end is None

    async def ask(self, line: str) -> Reply:
        """Send a command and return its reply, whatever it is. Raises Gone."""
        self.send(line)
        return await self.reply()

    async def demand(self, line: str) -> Reply:
        """Send a command that must not be refused. Raises Refusal, Gone."""
        return self._expect(await self.ask(line))

    def send(self, line: str) -> None:
        """Send a command; its reply is asked for later."""
        if self._end is not None:
            raise self._end
        if self._owed == 0 and self._replies:
            self._note_strangers()
        assert self._transport is not None
        self._owed += 1
        self._transport.write(line.encode() + b"\r\n")

    async def reply(self) -> Reply:
        """Return the next reply. Raises Gone when the connection ends first."""
        while not self._replies:
            if self._end is not None:
                raise self._end
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        reply = self._replies.popleft()
        self.heard.append(str(reply))
        # RFC 959 section 4.2: 1xx announces that another reply follows.
        if reply.code >= 200:
            self._owed -= 1
        return reply

    async def login(self, user: str, password: str) -> None:
        """Log in. Raises Refusal, Gone."""
        reply = await self.demand(f"USER {user}")
        if reply.code == 331:
            await self.demand(f"PASS {password}")

    async def data(self, end: DataEnd) -> None:
        """Open a passive data connection. Raises Refusal, Gone."""
        reply = await self.demand("PASV")
        if reply.code != 227:
            self.strange.append(f"PASV was answered {reply}")
            self.drop()
        found = PASV_ADDRESS.search(reply.text)
        if found is None:
            raise Gone(f"a 227 without an address: {reply.text[:80]}")
        port = int(found[5]) * 256 + int(found[6])
        local = (self._source, 0) if self._source else None
        loop = asyncio.get_running_loop()
        try:
            # The address told is not trusted (NAT, and RFC 2577 section 3): same host as control.
            await loop.create_connection(lambda: end, self._host, port, local_addr=local)
        except OSError as error:
            raise Gone(f"cannot open data: {error.strerror or error}") from error

    def quit(self) -> None:
        """Say QUIT and close, without waiting for the goodbye."""
        if self._transport is not None and self._end is None:
            self._transport.write(b"QUIT\r\n")
            self._transport.close()

    def drop(self) -> None:
        """End the connection with a reset, as a killed process does."""
        if self._transport is not None:
            sock = self._transport.get_extra_info("socket")
            if sock is not None and self._end is None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self._transport.abort()
            self._over(Gone("dropped by ourselves"))

    def check_strangers(self) -> list[str]:
        """Return replies that came without being asked for, and forget them."""
        if self._owed == 0 and self._replies:
            self._note_strangers()
        found, self.strange = self.strange, []
        return [f"{words} (before it: {', '.join(self.heard)})" for words in found]

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is of a class of its own

    def data_received(self, data: bytes) -> None:
        """Cut what came into lines, and lines into replies."""
        self._buffer += data
        *lines, rest = bytes(self._buffer).split(b"\n")
        self._buffer = bytearray(rest)
        for line in lines:
            self._line(line.rstrip(b"\r"))
        if len(self._buffer) > LONGEST_REPLY:
            self._over(Gone("a reply without end"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake whoever waits for a reply."""
        broken = " in the middle of a reply" if self._buffer or self._multi else ""
        self._over(Gone(f"{'reset' if exc else 'closed'} by the server{broken}"))

    def _line(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace")
        if self._multi is not None:
            code, first = self._multi
            # RFC 959 section 4.2: only the opening code and a space end a multi-line reply.
            if line.startswith(code + b" "):
                self._multi = None
                self._arrived(Reply(int(code), text[4:] or first))
        elif re.match(rb"[1-5]\d\d-", line):
            self._multi = (line[:3], text[4:])
        elif re.match(rb"[1-5]\d\d( |$)", line):
            self._arrived(Reply(int(line[:3]), text[4:]))
        else:
            self._over(Gone(f"no FTP reply: {text[:80]!r}"))

    def _arrived(self, reply: Reply) -> None:
        self._replies.append(reply)
        self._wake()

    def _over(self, end: Gone) -> None:
        if self._end is None:
            self._end = end
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _expect(self, reply: Reply) -> Reply:
        if not reply.is_good:
            raise Refusal(reply)
        return reply

    def _note_strangers(self) -> None:
        # RFC 959 section 5.4: 421 may come at any time; anything else belongs to somebody else.
        self.strange += [str(reply) for reply in self._replies if reply.code != 421]
        self._replies = deque(reply for reply in self._replies if reply.code == 421)
