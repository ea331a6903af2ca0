"""A client that sends exactly what it is told to, and reads replies without judging them."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Self

from .scripted import CHUNK, PATIENCE, RESET


def patiently() -> asyncio.Timeout:
    """Let a test fail rather than hang."""
    return asyncio.timeout(PATIENCE)


@dataclass(frozen=True, slots=True)
class Heard:
    """One reply, as it came."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def text(self) -> str:
        """Everything in one line, for a look at its words."""
        return b" / ".join(self.lines).decode("latin-1")


class RawClient:
    """One control connection and its data connections, on plain sockets."""

    def __init__(self, sock: socket.socket, source: str) -> None:
        self.sock = sock
        self.source = source
        self._loop = asyncio.get_running_loop()
        self._received = b""

    @classmethod
    @contextlib.asynccontextmanager
    async def connected(cls, port: int, source: str = "127.0.0.1") -> AsyncIterator[Self]:
        """Connect from `source`; at the end the socket goes by FIN."""
        with await dial(port, source) as sock:
            yield cls(sock, source)

    # Talking.

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        await self._loop.sock_sendall(self.sock, data)

    async def say(self, *lines: str) -> None:
        """Send command lines, all at once."""
        await self.send("".join(line + "\r\n" for line in lines).encode("latin-1"))

    async def hear(self) -> Heard:
        """Return the next reply; raise EOFError at FIN, ConnectionResetError at RST."""
        lines = [await self._line()]
        while lines[0][3:4] == b"-" and not re.match(lines[0][:3] + rb"( |$)", lines[-1]):
            lines.append(await self._line())
        return Heard(int(lines[0][:3]), tuple(lines))

    async def ask(self, line: str) -> Heard:
        """Send a command and return the next reply."""
        await self.say(line)
        return await self.hear()

    async def expect(self, *codes: int) -> list[Heard]:
        """Hear exactly these codes, in this order."""
        heard: list[Heard] = []
        for code in codes:
            heard.append(await self.hear())
            assert heard[-1].code == code, [one.text for one in heard]
        return heard

    async def expect_end(self) -> None:
        """Hear nothing more but the end."""
        with contextlib.suppress(EOFError, ConnectionResetError):
            extra = await self._line()
            raise AssertionError(f"instead of the end came {extra!r}")

    async def expect_silence(self) -> None:
        """Prove that no reply is outstanding: the next one answers the next command."""
        assert (await self.ask("CLNT still in step")).text == "200 Noted."

    async def log_in(self, user: str = "alice", password: str = "secret") -> None:
        """Log in."""
        await self.say(f"USER {user}", f"PASS {password}")
        await self.expect(331, 230)

    def vanish(self) -> None:
        """Drop the connection by RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.sock.close()

    # Data.

    async def passive_port(self) -> int:
        """Ask PASV; return the port of the 227."""
        reply = await self.ask("PASV")
        found = re.search(r"\((?:\d+,){4}(\d+),(\d+)\)", reply.text)
        assert reply.code == 227, reply.text
        assert found, reply.text
        return int(found[1]) * 256 + int(found[2])

    async def passive(self) -> socket.socket:
        """Ask PASV, and connect the data connection."""
        return await dial(await self.passive_port(), self.source)

    async def active(self) -> socket.socket:
        """Listen, and tell where with PORT."""
        sock = socket.create_server((self.source, 0))
        sock.setblocking(False)
        high, low = divmod(sock.getsockname()[1], 256)
        host = self.source.replace(".", ",")
        assert (await self.ask(f"PORT {host},{high},{low}")).code == 200
        return sock

    async def fetch(self, command: str) -> bytes:
        """Download in passive mode, from 227 to 226."""
        with await self.passive() as data:
            await self.say(command)
            await self.expect(150)
            content = await read_all(data)
        await self.expect(226)
        return content

    async def expect_refusal(self, command: str, code: int) -> Heard:
        """Ask for a transfer, and hear with this code that it does not come about."""
        with await self.passive():
            await self.say(command)
            (heard,) = await self.expect(code)
        return heard

    async def store(self, command: str, content: bytes) -> None:
        """Upload in passive mode, from 227 to 226."""
        with await self.passive() as data:
            await self.say(command)
            await self.expect(150)
            async with patiently():
                await self._loop.sock_sendall(data, content)
        await self.expect(226)

    async def _line(self) -> bytes:
        while b"\r\n" not in self._received:
            async with patiently():
                data = await self._loop.sock_recv(self.sock, CHUNK)
            if not data:
                raise EOFError(self._received)
            self._received += data
        line, _, self._received = self._received.partition(b"\r\n")
        return line


async def dial(port: int, source: str = "127.0.0.1") -> socket.socket:
    """Connect to a port of 127.0.0.1 from a loopback address."""
    sock = socket.socket()
    sock.setblocking(False)
    try:
        sock.bind((source, 0))
        async with patiently():
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    except BaseException:
        sock.close()
        raise
    return sock


async def accept(listening: socket.socket) -> socket.socket:
    """Accept one connection."""
    async with patiently():
        sock, _ = await asyncio.get_running_loop().sock_accept(listening)
    sock.setblocking(False)
    return sock


async def read_some(sock: socket.socket, most: int = CHUNK) -> bytes:
    """Read what is there; empty at FIN; raise ConnectionResetError at RST."""
    async with patiently():
        return await asyncio.get_running_loop().sock_recv(sock, most)


async def read_all(sock: socket.socket) -> bytes:
    """Read up to FIN; raise ConnectionResetError at RST."""
    content = bytearray()
    while data := await read_some(sock):
        content += data
    return bytes(content)


async def is_reset(sock: socket.socket) -> bool:
    """Tell whether the connection ends by RST rather than FIN, whatever comes before."""
    try:
        await read_all(sock)
    except ConnectionResetError:
        return True
    return False
