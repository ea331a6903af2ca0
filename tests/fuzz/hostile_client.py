"""A client that does what no client should, as chance will have it, and reads what comes back."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import socket
from collections.abc import Awaitable, Callable

from tests.support.raw_client import dial
from tests.support.scripted import RESET

VERBS = (
    *("USER", "PASS", "ACCT", "CWD", "CDUP", "QUIT", "REIN", "PORT", "PASV", "TYPE"),
    *("STRU", "MODE", "RETR", "STOR", "STOU", "APPE", "ALLO", "REST", "RNFR", "RNTO"),
    *("ABOR", "DELE", "RMD", "MKD", "PWD", "LIST", "NLST", "SITE", "SYST", "STAT"),
    *("HELP", "NOOP", "FEAT", "OPTS", "AUTH", "PBSZ", "PROT", "EPRT", "EPSV", "MDTM"),
    *("MLSD", "MLST", "SIZE", "XPWD", "CLNT", "MFMT", "HOST", "LANG", "CCC", "SMNT"),
    *("XYZZY"),
)
PATHS = (
    *("ten", "/ten", "x", "", ".", "..", "../../../etc/passwd", "-la", "*", "a b", "a\tb", "%s%n"),
    *("\xff\xff", "\xe9", "a\r", "a\rDELE b", "x" * 600, "x" * 9000, "I", "A", "0", "7", "-1"),
    *("99999999999999999999", "127,0,0,1,0,25", "127,0,0,1,200,10", "10,1,1,1,9,9", "|1|::1|9|"),
    *("|1|127.0.0.1|50000|", "ALL", "TLS", "P", "UTF8 ON", "CHMOD 777 x", "1,2,3", "\0", "\x1b[2J"),
)
TELNET = (b"\xff\xf4", b"\xff\xf2", b"\xff\xfd\x01", b"\xff\xfb\x03", b"\xff\xff", b"\xff", b"\xf2")
PATIENCE = 30.0  # seconds in which an honest client is served
GOODBYE = 150.0  # seconds for all that was asked before it: a broken download is begun five times
MOVES = 12
TELNET_ANSWER = re.compile(rb"\xff[\xfc\xfe].", re.DOTALL)  # WONT and DONT, to its DO and WILL
OPENING = re.compile(rb"[1-5]\d\d([ -]|$)")


class Finding(Exception):
    """Something that must never happen did."""


class Assailant:
    """One such client; `transcript` tells what it sent and heard."""

    def __init__(self, port: int, name: str, seed: int) -> None:
        self._port = port
        self._name = name
        self._chance = random.Random(seed)
        self._heard = b""
        self._data: list[socket.socket] = []
        self._sent = b""
        self.transcript: list[bytes] = []

    async def run(self) -> None:
        """Come, misbehave and go; raise Finding when the proxy answers what it must not."""
        with await dial(self._port) as sock, contextlib.suppress(OSError):
            self._sock = sock
            try:
                if self._chance.random() < 0.85:
                    await self._send(f"USER {self._name}\r\nPASS secret\r\nTYPE I\r\n".encode())
                for _ in range(self._chance.randrange(MOVES)):
                    await self._chance.choice(self._moves)()
                await self._leave()
            finally:
                for data in self._data:
                    data.close()
        self._judge()

    @property
    def _moves(self) -> list[Callable[[], Awaitable[None]]]:
        return [
            *[self._say_commands] * 3,
            *[self._move_data] * 6,
            self._babble,
            self._cut_a_line,
            self._send_urgent,
            self._listen,
            self._listen,
        ]

    # What it does.

    async def _say_commands(self) -> None:
        many = self._chance.choice((1, 1, 2, 5, 40))
        await self._send(b"".join(self._command() for _ in range(many)))

    def _command(self) -> bytes:
        chance = self._chance
        verb, path = chance.choice(VERBS), chance.choice(PATHS)
        end = chance.choice(("\r\n", "\r\n", "\r\n", "\n", "\r\0\r\n"))
        return f"{verb} {path}{end}".encode("latin-1")

    async def _babble(self) -> None:
        await self._send(self._chance.randbytes(self._chance.choice((1, 100, 10_000))) + b"\r\n")

    async def _cut_a_line(self) -> None:
        line = self._command()
        at = self._chance.randrange(len(line))
        await self._send(line[:at])
        await asyncio.sleep(self._chance.choice((0, 0.001, 0.05)))
        if self._chance.random() < 0.8:
            await self._send(line[at:])

    async def _send_urgent(self) -> None:
        telnet = self._chance.choice(TELNET)
        self._note(b"urgent", telnet)
        self._sent += telnet
        with contextlib.suppress(BlockingIOError):
            self._sock.send(telnet, self._chance.choice((0, socket.MSG_OOB)))
        if self._chance.random() < 0.7:
            await self._send(b"ABOR\r\n")

    async def _move_data(self) -> None:
        """Agree on a data connection, or half, and do something with it, or nothing."""
        chance = self._chance
        if chance.random() < 0.3:
            listening = socket.create_server(("127.0.0.1", 0))
            self._data.append(listening)
            high, low = divmod(listening.getsockname()[1], 256)
            await self._send(f"PORT 127,0,0,1,{high},{low}\r\n".encode())
        else:
            await self._send(chance.choice((b"PASV\r\n", b"EPSV\r\n")))
            await self._listen()
            await self._connect_data()
        verb = chance.choice(("RETR", "RETR", "STOR", "STOR", "APPE", "LIST", "NLST", "MLSD"))
        await self._send(f"{verb} {chance.choice(('ten', 'big', 'x', 'nothing'))}\r\n".encode())
        await self._use_data()
        if chance.random() < 0.3:
            await self._send(b"ABOR\r\n")

    async def _connect_data(self) -> None:
        found = re.findall(rb"(?:,(\d+),(\d+)\)|\|\|\|(\d+)\|)", self._heard)
        if not found or self._chance.random() < 0.15:
            return
        high, low, extended = found[-1]
        port = int(extended or int(high) * 256 + int(low))
        source = self._chance.choice(("127.0.0.1",) * 9 + ("127.0.0.9",))
        with contextlib.suppress(OSError):
            self._data.append(await dial(port % 65536, source))

    async def _use_data(self) -> None:
        chance = self._chance
        await asyncio.sleep(chance.choice((0, 0.002, 0.05)))
        for data in self._data[-1:]:
            with contextlib.suppress(OSError):
                if chance.random() < 0.5:
                    data.send(chance.randbytes(chance.choice((1, 1000, 100_000))))
                if chance.random() < 0.4:
                    data.recv(chance.choice((1, 65536)))
                ending = chance.random()
                if ending < 0.3:
                    data.shutdown(socket.SHUT_WR)
                elif ending < 0.5:
                    data.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    data.close()
                elif ending < 0.9:
                    data.close()

    async def _leave(self) -> None:
        """Say QUIT, end by half, by FIN or by RST; a polite one hears the last word."""
        ending = self._chance.random()
        if ending < 0.6:
            await self._send(b"\r\nQUIT\r\n")
        elif ending < 0.7:
            self._sock.shutdown(socket.SHUT_WR)
        else:
            if ending < 0.85:
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            return
        for data in self._data:
            data.close()
        try:
            async with asyncio.timeout(GOODBYE):
                while await self._read():
                    pass
        except TimeoutError:
            raise Finding("a client that said goodbye was never let go") from None

    # What it hears.

    async def _send(self, data: bytes) -> None:
        self._note(b"C", data)
        self._sent += data
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await asyncio.get_running_loop().sock_sendall(self._sock, data)

    async def _listen(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._chance.choice((0.01, 0.1, 0.5))):
                await self._read()

    async def _read(self) -> bytes:
        data = await asyncio.get_running_loop().sock_recv(self._sock, 1 << 16)
        self._note(b"S", data)
        self._heard += data
        return data

    def _note(self, who: bytes, data: bytes) -> None:
        self.transcript.append(who + b": " + data[:200])

    def _judge(self) -> None:
        """Each reply is framed as RFC 959 wants it, is for this client, and answers something."""
        for name in re.findall(rb"mallory-\d+|alice", self._heard):
            if name != self._name.encode() and name not in self._sent:
                raise Finding(f"{self._name} heard a reply to {name!r}")
        finals = 0
        lines = TELNET_ANSWER.sub(b"", self._heard).split(b"\r\n")[:-1]
        while lines:
            opening = lines.pop(0)
            if not OPENING.match(opening):
                raise Finding(f"no reply begins with {opening[:80]!r}")
            code = opening[:3]
            while opening[3:4] == b"-" and lines:
                if re.match(code + rb"( |$)", lines.pop(0)):
                    break
            finals += not code.startswith(b"1")
        # The greeting, a last 421, and a second reply to each ABOR.
        most = self._sent.count(b"\n") + self._sent.upper().count(b"ABOR") + 2
        if finals > most:
            raise Finding(f"{finals} replies to {most} commands at most")
