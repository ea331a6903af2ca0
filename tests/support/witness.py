"""A scripted server that knows what each command claims: whose it is, and in which state.

A path is a claim (`Claim`): client, login, directory, TYPE and offset. The witness compares it with
what the connection really has, and gives each answer only when it is that answer's turn, so that a
test may stop the world between any two replies. It never guesses: what it says is what it saw.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
from dataclasses import dataclass
from typing import Self

from .scripted import CHUNK, GREETING, Handler, Scripted, Visit

ESTABLISHED = 1
_serials = itertools.count(1)

# Whether the verb's outcome depends on TYPE, and on REST.
TYPED = frozenset({"RETR", "STOR", "SIZE"})
RESTARTED = frozenset({"RETR", "STOR"})


@dataclass(frozen=True, slots=True)
class Claim:
    """What must be true where a command with this path arrives."""

    client: str
    user: str
    cwd: str
    type: str
    offset: int
    serial: int
    exists: bool = True

    @classmethod
    def fresh(
        cls, client: str, user: str, cwd: str, type: str, *, offset: int = 0, exists: bool = True
    ) -> Self:
        """Make a claim that nobody made before."""
        return cls(client, user, cwd, type, offset, next(_serials), exists)

    @property
    def name(self) -> str:
        """The claim as a file name."""
        cwd = self.cwd.replace("/", "-")
        kind = "file" if self.exists else "none"
        return f"{self.client}.{self.user}.{cwd}.{self.type}.{self.offset}.{self.serial}.{kind}"

    @classmethod
    def read(cls, name: bytes) -> Self:
        """Read a name back."""
        client, user, cwd, type, offset, serial, kind = name.decode().split(".")
        path = cwd.replace("-", "/")
        return cls(client, user, path, type, int(offset), int(serial), kind == "file")

    @property
    def content(self) -> bytes:
        """What the file of this name holds: nobody else's file is like it."""
        return f"{self.name}\n".encode() * 50


class Turns:
    """Lets answers out one by one, or all of them at once while it is `free`."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []
        self._is_free = False

    async def take(self) -> None:
        """Wait for a turn."""
        if self._is_free:
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        finally:
            self._waiting.remove(turn)

    def grant(self, pick: int) -> None:
        """Let one of those who wait go on."""
        waiting = [turn for turn in self._waiting if not turn.done()]
        if waiting:
            waiting[pick % len(waiting)].set_result(None)

    def free(self, is_free: bool) -> None:
        """Let everybody go on from now on, or nobody any more without a turn."""
        self._is_free = is_free
        for turn in self._waiting:
            if is_free and not turn.done():
                turn.set_result(None)


class Witness:
    """Takes over every verb of a Scripted server. `complaints` is what no client may ever cause."""

    def __init__(self, server: Scripted, limit: int) -> None:
        self.server = server
        self.limit = limit
        self.turns = Turns()
        self.complaints: list[str] = []
        self.stored: dict[str, bytes] = {}
        self._owners: dict[Visit, str] = {}  # by SITE PIN
        self._ready: set[Visit] = set()
        self._logged_in: set[Visit] = set()
        for verb, handler in {
            GREETING: self._greet,
            "PASS": self._pass,
            "PWD": self._pwd,
            "CWD": self._cwd,
            "CDUP": self._cdup,
            "RETR": self._retr,
            "STOR": self._stor,
            "LIST": self._list,
            "SIZE": self._about,
            "MDTM": self._about,
            "DELE": self._about,
            "RNFR": self._rnfr,
            "RNTO": self._rnto,
            "SITE": self._site,
        }.items():
            server.always[verb] = handler
        for verb in ("USER", "TYPE", "PASV", "PORT", "REST", "QUIT", "SYST", "FEAT"):
            server.always[verb] = self._honest(verb)

    @property
    def sessions(self) -> int:
        """Control connections that the kernel calls established."""
        return sum(map(_is_established, self.server.here))

    @property
    def abandoned(self) -> int:
        """Logins that succeeded for nobody: their connection ended before it could be used."""
        return len({v for v in self._logged_in - self._ready if v not in self.server.here})

    def hang_up(self, pick: int) -> bool:
        """End a session that waits for a command, with a 421 first; False when there is none."""
        quiet = [v for v in self.server.visits if v in self.server.here and v in self._ready]
        quiet = [v for v in quiet if _is_established(v)]
        if not quiet:
            return False
        sock = quiet[pick % len(quiet)]._sock
        sock.send(b"421 Idle for too long.\r\n")
        sock.shutdown(socket.SHUT_RDWR)
        return True

    def _complain(self, visit: Visit, what: str) -> None:
        history = " | ".join(line.decode() for line in visit.lines[-12:])
        self.complaints.append(f"connection {visit.number}: {what} after: {history}")

    # Checks.

    def _check(self, visit: Visit, verb: str, name: bytes) -> Claim:
        claim = Claim.read(name)
        known = {"user": visit.user.decode(), "cwd": visit.cwd.decode()}
        if verb in TYPED:
            known["type"] = visit.type.decode()
        if verb in RESTARTED:
            known["offset"] = str(visit.offset)
            visit.offset = 0
        for what, found in known.items():
            if found != str(getattr(claim, what)):
                self._complain(visit, f"{verb} {name.decode()} met {what} {found}")
        if self._owners.get(visit, claim.client) != claim.client:
            self._complain(visit, f"{claim.client} came to {self._owners[visit]}'s connection")
        return claim

    # Answers.

    def _honest(self, verb: str) -> Handler:
        async def answer(visit: Visit, argument: bytes) -> None:
            await self.turns.take()
            await visit.obey_normally(verb, argument)

        return answer

    async def _greet(self, visit: Visit, _: bytes) -> None:
        if self.sessions > self.limit:
            self._complain(visit, f"is number {self.sessions}, {self.limit} are allowed;")
        await self.turns.take()
        await visit.say("220 Watched.")

    async def _pass(self, visit: Visit, password: bytes) -> None:
        await self.turns.take()
        if password != b"of " + visit.user:
            await visit.say("530 Login incorrect.")
            return
        visit.cwd = b"/" + visit.user
        self.server.logins += 1
        self._logged_in.add(visit)
        await visit.say("230 Welcome.")

    async def _pwd(self, visit: Visit, _: bytes) -> None:
        await self.turns.take()
        await visit.say(f'257 "{visit.cwd.decode()}" is here.')
        self._ready.add(visit)

    async def _cwd(self, visit: Visit, path: bytes) -> None:
        await self.turns.take()
        if path.endswith(b"nowhere"):
            await visit.say(f"550 No {path.decode()}.")
            return
        visit.cwd = visit.path(path)
        await visit.say(f"250 Now in {visit.cwd.decode()}.")

    async def _cdup(self, visit: Visit, _: bytes) -> None:
        await self.turns.take()
        visit.cwd = visit.cwd.rpartition(b"/")[0] or b"/"
        await visit.say(f"250 Now in {visit.cwd.decode()}.")

    async def _retr(self, visit: Visit, name: bytes) -> None:
        await self.turns.take()
        claim = self._check(visit, "RETR", name)
        if not claim.exists:
            await visit.say(f"550 No {claim.name}.")
            return
        await self._send(visit, claim.name, claim.content[claim.offset :])

    async def _list(self, visit: Visit, _: bytes) -> None:
        await self.turns.take()
        state = f"{visit.user.decode()} {visit.cwd.decode()} {visit.type.decode()}"
        await self._send(visit, state, f"{state}\r\n".encode())

    async def _send(self, visit: Visit, what: str, content: bytes) -> None:
        loop = asyncio.get_running_loop()
        await visit.say(f"150 Here is {what}.")
        half = len(content) // 2
        try:
            with await visit.data() as sock:
                await loop.sock_sendall(sock, content[:half])
                await self.turns.take()
                await loop.sock_sendall(sock, content[half:])
        except ConnectionError:
            await self.turns.take()
            await visit.say(f"426 Cut off: {what}.")
            return
        await self.turns.take()
        await visit.say(f"226 Sent {what}.")

    async def _stor(self, visit: Visit, name: bytes) -> None:
        await self.turns.take()
        claim = self._check(visit, "STOR", name)
        loop = asyncio.get_running_loop()
        await visit.say(f"150 Send {claim.name}.")
        content = b""
        try:
            with await visit.data() as sock:
                while data := await loop.sock_recv(sock, CHUNK):
                    content += data
        except ConnectionError:
            await self.turns.take()
            await visit.say(f"426 Cut off: {claim.name}.")
            return
        await self.turns.take()
        self.stored[claim.name] = content
        await visit.say(f"226 Stored {claim.name}.")

    async def _about(self, visit: Visit, name: bytes) -> None:
        verb = visit.lines[-1].split(b" ")[0].decode()
        await self.turns.take()
        claim = self._check(visit, verb, name)
        await visit.say(f"213 {verb} of {claim.name}")

    async def _rnfr(self, visit: Visit, name: bytes) -> None:
        await self.turns.take()
        claim = self._check(visit, "RNFR", name)
        await visit.say(f"350 Rename {claim.name}.")

    async def _rnto(self, visit: Visit, name: bytes) -> None:
        before = visit.lines[-2]
        await self.turns.take()
        claim = self._check(visit, "RNTO", name)
        if before.split(b".")[0] != f"RNFR {claim.client}".encode():
            self._complain(visit, f"RNTO {claim.name} followed {before.decode()}")
        await visit.say(f"250 Renamed {claim.name}.")

    async def _site(self, visit: Visit, argument: bytes) -> None:
        await self.turns.take()
        client = argument.decode().removeprefix("PIN ")
        if self._owners.setdefault(visit, client) != client:
            self._complain(visit, f"{client} pinned {self._owners[visit]}'s connection")
        await visit.say(f"200 Pinned {client}.")


def _is_established(visit: Visit) -> bool:
    sock = visit._sock
    if sock.fileno() < 0:
        return False
    # Unlike a process that waits, the kernel knows at once when the other side has closed.
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == ESTABLISHED
