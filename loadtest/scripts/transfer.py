"""One file of one script, phase by phase: open, ask, wait for 150, move, hear the final reply.

Tells what happened as a Deed; what to do about it is script.py's business.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from math import nan
from time import monotonic

from ..content import content, digest
from ..layout import Member
from ..record import Outcome
from .client import STAMP, Refusal, Reply, Session
from .data import DataEnd


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be moved."""

    member: Member
    script: int
    file: int
    aborts: bool = False

    @property
    def path(self) -> str:
        """The full path on the server."""
        return self.member.path(self.script, self.file)

    @property
    def size(self) -> int:
        """How large it must be."""
        return self.member.size(self.script, self.file)

    @property
    def command(self) -> str:
        """The command that starts the transfer."""
        name = self.member.file_name(self.script, self.file)
        return {"download": f"RETR {name}", "upload": f"STOR {name}", "list": "LIST"}[
            self.member.group.do
        ]


@dataclass(slots=True)
class Deed:
    """How it went. `words` is the reply or the end that a script would print."""

    outcome: Outcome = Outcome.LOST
    code: int = 0
    words: str = ""
    lie: str = ""  # what was wrong with bytes that the server vouched for
    stranger: str = ""  # a reply about somebody else's file
    moved: int = 0
    open: float = nan
    queue: float = nan
    first_byte: float = nan
    data: float = nan
    final: float = nan


class Transfer:
    """One try at a job over a session. Raises Gone, Refusal or TimeoutError; the deed stays."""

    def __init__(self, session: Session, job: Job) -> None:
        self.deed = Deed()
        self._session = session
        self._job = job
        group = job.member.group
        self._patience = group.patience
        self._end = DataEnd(pace=group.reads, keep=group.do == "list")

    async def run(self) -> Deed:
        """Do it."""
        deed, end = self.deed, self._end
        try:
            began = monotonic()
            async with asyncio.timeout(self._patience):
                await self._session.data(end)
            opened = monotonic()
            deed.open = opened - began
            await self._ask()
            going = monotonic()
            deed.queue = going - opened
            if self._job.aborts:
                return await self._abort()
            await self._move(going)
            moved = monotonic()
            deed.data = moved - max(going, end.first_at or going)
            reply = await self._heard()
            deed.final = monotonic() - moved
            self._judge(reply)
            return deed
        finally:
            deed.moved = end.moved
            end.close()

    async def _ask(self) -> None:
        async with asyncio.timeout(self._patience):
            reply = await self._session.ask(self._job.command)
        self._look_at(reply)
        self.deed.code = reply.code
        if not reply.is_good:
            raise Refusal(reply)

    async def _move(self, going: float) -> None:
        end = self._end
        if self._job.member.group.do == "upload":
            await end.give(content(self._job.path, self._job.size), self._patience)
            return
        await end.end(self._patience)
        if end.first_at is not None:
            self.deed.first_byte = max(0.0, end.first_at - going)

    async def _heard(self) -> Reply:
        async with asyncio.timeout(self._patience):
            reply = await self._session.reply()
            while reply.code < 200:
                self._look_at(reply)
                reply = await self._session.reply()
        self._look_at(reply)
        self.deed.code, self.deed.words = reply.code, str(reply)
        return reply

    async def _abort(self) -> Deed:
        """Give up after the first byte, as a person does who presses ^C."""
        self.deed.outcome = Outcome.ABORTED
        async with asyncio.timeout(self._patience):
            if self._job.member.group.do != "upload":
                await self._end.first_byte()
            if self._job.member.group.abort_by == "vanish":
                self._session.drop()
                return self.deed
            self._session.send("ABOR")
            self._end.close()
            # RFC 959 section 4.1.3: one reply to the transfer, one to ABOR.
            await self._heard()
            await self._heard()
        return self.deed

    def _judge(self, reply: Reply) -> None:
        deed, end, job = self.deed, self._end, self._job
        if not reply.is_good:
            deed.outcome = Outcome.REFUSED
        elif end.error is not None:
            deed.words = f"data connection broken: {end.error}, yet {reply}"
        elif lie := self._lie():
            deed.outcome = Outcome.CORRUPT
            deed.lie = f"{job.command} {job.path}: {lie}, yet {reply}"
        else:
            deed.outcome = Outcome.DONE

    def _lie(self) -> str:
        end, job = self._end, self._job
        if job.member.group.do == "list":
            return _wrong_listing(bytes(end.kept), job.member)
        if end.moved != job.size:
            return f"{end.moved} of {job.size} bytes"
        if job.member.group.do == "download" and end.digest != digest(job.path, job.size):
            return f"{job.size} bytes with another SHA-256"
        return ""

    def _look_at(self, reply: Reply) -> None:
        stamp = STAMP.search(reply.text)
        about = self._job.path if self._job.member.group.do != "list" else self._job.member.folder
        if stamp is not None and stamp[1] != about and not self.deed.stranger:
            self.deed.stranger = f"{self._job.command} {about} was answered {reply}"


def _wrong_listing(listing: bytes, member: Member) -> str:
    found = {line.rsplit(None, 1)[-1].decode() for line in listing.splitlines() if line.strip()}
    expected = {path.rpartition("/")[2] for path, _ in member.files_on_server()}
    if found == expected:
        return ""
    return f"{len(found & expected)} of {len(expected)} names, {len(found - expected)} strange ones"
