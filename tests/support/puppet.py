"""A client on strings: does one thing after another, and may be cut off in the middle of any.

It knows the claim behind each of its commands, and complains of every reply that is not its own.
Only while `disturbed` (it sent ABOR, or its server session was taken away) may a step fail.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections import deque

from .raw_client import Heard, RawClient, dial, read_all
from .witness import Claim, Witness

DEPTH = 3


class Puppet:
    """One client session, from connect to QUIT."""

    def __init__(
        self, name: str, user: str, source: str, port: int, witness: Witness, *, guesses: int = 0
    ) -> None:
        self.name = name
        self.user = user
        self.is_pinned = False
        self.disturbed = False  # by an ABOR that is not yet answered
        self._is_forgiven = False
        self.over = False
        self.is_busy = True
        self._source = source
        self._port = port
        self._witness = witness
        self._guesses = guesses  # wrong passwords before the right one
        self._wishes: asyncio.Queue[str] = asyncio.Queue()
        self._client: RawClient | None = None
        self._due: deque[str] = deque()  # commands sent whose final reply is to come
        self._task: asyncio.Task[object] | None = None
        self._cwd = f"/{user}"
        self._type = "A"

    # The strings.

    def wish(self, deed: str) -> None:
        """Do this after all that was wished before."""
        self._wishes.put_nowait(deed)

    @property
    def is_idle(self) -> bool:
        """Tell whether it has nothing to do."""
        return self._wishes.empty() and not self.is_busy

    def cut(self, how: str) -> None:
        """Break off in this very moment: by ABOR, or be gone by RST or FIN."""
        if how == "abort":
            self._abort()
        else:
            self._vanish(reset=how == "reset")

    def may_lose_session(self) -> None:
        """Its server session may have been taken away: one that is pinned cannot be replaced."""
        self._is_forgiven = self._is_forgiven or self.is_pinned

    def may_be_turned_away(self) -> None:
        """It may find no session: the server takes no more for a moment."""
        self._is_forgiven = True

    def _abort(self) -> None:
        if self._client is not None:
            self.disturbed = True
            self._due.append("ABOR")
            self._client.sock.send(b"ABOR\r\n")

    def _vanish(self, *, reset: bool) -> None:
        self.over = True
        if self._task is not None:
            self._task.cancel()
        if self._client is not None and reset:
            self._client.vanish()
        elif self._client is not None:
            self._client.sock.close()

    # Its life.

    async def live(self) -> None:
        """Log in, obey every wish, and say goodbye at the wish of `quit`."""
        self._task = asyncio.current_task()
        try:
            async with RawClient.connected(self._port, self._source) as client:
                self._client = client
                await self._log_in()
                while (deed := await self._next_wish()) != "quit":
                    await self._do(deed)
                await self._expect("QUIT", 221)
        except (EOFError, ConnectionError, TimeoutError) as end:
            if not self._may_fail:
                self._complain(f"lost its session: {end!r}, owed {list(self._due)}")
        finally:
            self.over = True

    async def _next_wish(self) -> str:
        self.is_busy = False
        deed = await self._wishes.get()
        self.is_busy = True
        return deed

    async def _do(self, deed: str) -> None:
        verb, _, argument = deed.partition(" ")
        match verb:
            case "get":
                await self._get(offset=int(argument))
            case "miss":
                await self._get(exists=False)
            case "put":
                await self._put()
            case "list":
                await self._list()
            case "move":
                await self._move(argument)
            case "type":
                await self._expect(f"TYPE {argument}", 200)
                self._type = argument
            case "ask":
                await self._ask_about(argument)
            case "rename":
                await self._rename()
            case "pin":
                self.is_pinned = True
                await self._expect(f"SITE PIN {self.name}", 200, self.name)
            case _:
                raise AssertionError(f"no such deed: {deed}")
        self.disturbed = bool(self._due)

    # Deeds.

    async def _log_in(self) -> None:
        assert self._client is not None
        greeting = await self._client.hear()
        if greeting.code != 220:
            self._complain(f"was greeted with {greeting.text}")
        for attempt in range(self._guesses + 1):
            await self._expect(f"USER {self.user}", 331)
            if attempt < self._guesses:
                await self._expect("PASS guessed", 530)
            else:
                await self._expect(f"PASS of {self.user}", 230)

    async def _move(self, where: str) -> None:
        if where == "nowhere":
            await self._expect("CWD nowhere", 550, "nowhere")
            return
        if where == "home":
            line, goal = f"CWD /{self.user}", f"/{self.user}"
        elif where == "up" or self._cwd.count("/") >= DEPTH:
            line, goal = "CDUP", self._cwd.rpartition("/")[0] or "/"
        else:
            line, goal = f"CWD {where}", f"{self._cwd.rstrip('/')}/{where}"
        if await self._expect(line, 250, f"{goal}."):
            self._cwd = goal

    async def _ask_about(self, verb: str) -> None:
        name = self._claim().name
        await self._expect(f"{verb} {name}", 213, f"{verb} of {name}")

    async def _rename(self) -> None:
        source, target = self._claim().name, self._claim().name
        if await self._expect(f"RNFR {source}", 350) and "ABOR" not in self._due:
            await self._expect(f"RNTO {target}", 250, target)

    async def _get(self, *, offset: int = 0, exists: bool = True) -> None:
        claim = self._claim(offset=offset, exists=exists)
        content = await self._download(f"RETR {claim.name}", claim)
        if content is not None and content != claim.content[offset:]:
            self._complain(f"got for {claim.name}: {content[:200]!r}")

    async def _list(self) -> None:
        state = f"{self.user} {self._cwd} {self._type}"
        content = await self._download("LIST", None)
        if content is not None and content != f"{state}\r\n".encode():
            self._complain(f"listed {content!r} instead of {state}")

    async def _download(self, line: str, claim: Claim | None) -> bytes | None:
        """Return what came if the server calls it whole."""
        data = await self._data()
        if data is None:
            return None
        with data:
            if claim is not None and claim.offset:
                await self._expect(f"REST {claim.offset}", 350)
            self._say(line)
            content = None
            if (reply := await self._reply(line)).code == 150:
                self._check(line, reply, 150, claim.name if claim else "")
                with contextlib.suppress(ConnectionError):
                    content = await read_all(data)
                reply = await self._final(line)
            wanted = 226 if claim is None or claim.exists else 550
            went_well = self._check(line, reply, wanted, claim.name if claim else "")
        return content if went_well and wanted == 226 else None

    async def _put(self) -> None:
        claim = self._claim()
        data = await self._data()
        if data is None:
            return
        with data:
            line = f"STOR {claim.name}"
            self._say(line)
            reply = await self._reply(line)
            if reply.code == 150:
                with contextlib.suppress(ConnectionError):
                    await asyncio.get_running_loop().sock_sendall(data, claim.content)
                    data.shutdown(socket.SHUT_WR)
                reply = await self._final(line)
            stored = self._witness.stored
            if self._check(line, reply, 226, claim.name) and stored[claim.name] != claim.content:
                self._complain(f"{claim.name} was stored as {stored[claim.name][:200]!r}")

    async def _data(self) -> socket.socket | None:
        self._say("PASV")
        reply = await self._final("PASV")
        found = re.search(r"(\d+),(\d+)\)", reply.text)
        if not self._check("PASV", reply, 227) or found is None:
            return None
        try:
            return await dial(int(found[1]) * 256 + int(found[2]), self._source)
        except ConnectionError:
            if not self._may_fail:
                self._complain("found nobody at its passive port")
            return None

    def _claim(self, *, offset: int = 0, exists: bool = True) -> Claim:
        return Claim.fresh(
            self.name, self.user, self._cwd, self._type, offset=offset, exists=exists
        )

    @property
    def _may_fail(self) -> bool:
        return self.disturbed or self._is_forgiven

    # Talking.

    def _say(self, line: str) -> None:
        assert self._client is not None
        self._due.append(line)
        self._client.sock.send(line.encode() + b"\r\n")

    async def _reply(self, line: str) -> Heard:
        """Return the next reply to this line; answers to an ABOR before it are checked."""
        assert self._client is not None
        while True:
            reply = await self._client.hear()
            if reply.code == 421:
                raise EOFError(reply.text)
            answered = self._due[0]
            if reply.code >= 200:
                self._due.popleft()
            if answered == line:
                return reply
            self._check(answered, reply, 226, "")

    async def _final(self, line: str) -> Heard:
        while (reply := await self._reply(line)).code < 200:
            pass
        return reply

    async def _expect(self, line: str, code: int, words: str = "") -> bool:
        self._say(line)
        return self._check(line, await self._final(line), code, words)

    def _check(self, line: str, reply: Heard, code: int, words: str = "") -> bool:
        if reply.code == code and words in reply.text:
            return True
        if not self._may_fail or line == "ABOR" or (reply.code == code and words):
            self._complain(f"heard to {line}: {reply.text}")
        return False

    def _complain(self, what: str) -> None:
        self._witness.complaints.append(f"{self.name} {what}")
