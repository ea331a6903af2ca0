"""One script, from its scheduled start to its end: what a cron job, a person or a leak does.

Decides when to try again and when to give up; how bytes move is transfer.py's business.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from math import nan
from random import Random
from time import monotonic

from ..layout import Member
from ..record import Kind, Outcome, Record
from .client import Gone, Place, Refusal, Session
from .desk import Desk
from .transfer import Deed, Job, Transfer

PHASES_OF_A_DEED = ("open", "queue", "first_byte", "data", "final")
FINISHED = (Outcome.DONE, Outcome.ABORTED, Outcome.CORRUPT)


@dataclass(frozen=True, slots=True)
class Account:
    """How scripts log in."""

    user: str
    password: str


class Script:
    """A script that is running. Hands in one row for itself, one per session, one per file."""

    def __init__(
        self, number: int, member: Member, place: Place, account: Account, desk: Desk, seed: int
    ) -> None:
        self._number = number
        self._member = member
        self._group = member.group
        self._place = place
        self._account = account
        self._desk = desk
        self._chance = Random(seed * 1_000_003 + number)
        self._session: Session | None = None
        self._file = 0
        self.leaked: Session | None = None  # kept open by whoever ran us

    async def run(self, scheduled: float) -> None:
        """Do everything; a cancel is the end of the whole run."""
        self._desk.scripts_started += 1
        lag = monotonic() - scheduled
        outcome = Outcome.CUT
        try:
            outcome = await self._work(scheduled)
        finally:
            if outcome == Outcome.CUT:
                self._give_up_the_rest(Outcome.CUT, after=self._file)
            now = monotonic()
            self._hand_in(Kind.SCRIPT, outcome, 0, scheduled, now, lag=lag, total=now - scheduled)
            self._leave()

    async def _work(self, scheduled: float) -> Outcome:
        since = scheduled
        for file in range(self._member.deeds):
            self._file = file
            if self._file and self._group.think:
                await asyncio.sleep(self._group.think)
                since = monotonic()
            deed = await self._one_file(since)
            self._settle(deed, since)
            since = monotonic()
            if deed.outcome not in FINISHED and self._group.keep_going == "off":
                self._give_up_the_rest(Outcome.LEFT, after=file + 1)
                return deed.outcome
        return Outcome.DONE

    async def _one_file(self, since: float) -> Deed:
        """Try until it works or the retries are used up."""
        deed = Deed()
        for attempt in range(self._group.retries + 1):
            if attempt:
                await asyncio.sleep(self._group.retry_after)
            deed = await self._try(monotonic() if attempt else since)
            if deed.outcome in FINISHED:
                break
            self._desk.reason(deed.words)
        return deed

    async def _try(self, since: float) -> Deed:
        if self._group.login == "per_file" and self._session is not None:
            self._session.quit()
            self._session = None
        if self._session is None or not self._session.is_alive:
            failed = await self._log_in(since)
            if failed is not None:
                return failed
        assert self._session is not None
        session = self._session
        deed = await self._hold() if self._group.do == "idle" else await self._transfer()
        self._check_strangers(session)
        return deed

    async def _log_in(self, since: float) -> Deed | None:
        """Open a session and go to our directory; returns the failure, if it is one."""
        connected = logged_in = nan
        deed = Deed()
        session: Session | None = None
        try:
            async with asyncio.timeout(self._group.patience):
                session = await Session.connect(self._place)
                connected = monotonic()
                await session.login(self._account.user, self._account.password)
                logged_in = monotonic()
                await session.demand("TYPE I")
                await session.demand(f"CWD {self._member.folder}")
                self._session, session = session, None
                await self._check_folder()
        except (Refusal, Gone, TimeoutError) as error:
            _tell(deed, error)
            if session is not None:
                session.quit()
        self._hand_in(
            Kind.SESSION,
            deed.outcome if deed.words else Outcome.DONE,
            deed.code,
            since,
            monotonic(),
            connect=connected - since,
            login=logged_in - connected,
        )
        return deed if deed.words else None

    async def _check_folder(self) -> None:
        assert self._session is not None
        reply = await self._session.demand("PWD")
        if f'"{self._member.folder}"' not in reply.text:
            now = monotonic()
            self._desk.stranger(self._member.name, now, f"after CWD, PWD says {reply}")

    async def _transfer(self) -> Deed:
        assert self._session is not None
        aborts = self._chance.random() < self._group.aborts
        transfer = Transfer(
            self._session, Job(self._member, self._number, self._file, aborts=aborts)
        )
        try:
            deed = await transfer.run()
        except (Refusal, Gone, TimeoutError) as error:
            deed = transfer.deed
            _tell(deed, error)
            if isinstance(error, TimeoutError):
                # Whatever comes now would be taken for the answer to something else.
                self._session.drop()
        if not self._session.is_alive or deed.outcome == Outcome.LATE:
            self._session = None
        return deed

    async def _hold(self) -> Deed:
        assert self._session is not None
        deed = Deed(Outcome.DONE)
        await asyncio.sleep(self._group.idle)
        try:
            async with asyncio.timeout(self._group.patience):
                deed.code = (await self._session.demand("NOOP")).code
        except (Refusal, Gone, TimeoutError) as error:
            _tell(deed, error)
        return deed

    def _settle(self, deed: Deed, since: float) -> None:
        now = monotonic()
        if deed.lie:
            self._desk.corrupt(self._member.name, now, deed.lie)
        if deed.stranger:
            self._desk.stranger(self._member.name, now, deed.stranger)
        phases = {name: getattr(deed, name) for name in PHASES_OF_A_DEED}
        self._hand_in(
            Kind.FILE,
            deed.outcome,
            deed.code,
            since,
            now,
            moved=deed.moved,
            total=now - since,
            **phases,
        )

    def _check_strangers(self, session: Session) -> None:
        for reply in session.check_strangers():
            self._desk.stranger(self._member.name, monotonic(), f"not asked for: {reply}")

    def _give_up_the_rest(self, outcome: Outcome, after: int) -> None:
        now = monotonic()
        for file in range(after, self._member.deeds):
            self._file = file
            self._hand_in(Kind.FILE, outcome, 0, now, now)

    def _leave(self) -> None:
        session = self._session
        if session is None:
            return
        match self._group.ends:
            case "quit":
                session.quit()
            case "crash":
                session.drop()
            case "leak":
                self.leaked = session

    def _hand_in(
        self,
        kind: Kind,
        outcome: Outcome,
        code: int,
        scheduled: float,
        ended: float,
        moved: int = 0,
        **phases: float,
    ) -> None:
        self._desk.hand_in(
            Record(kind, outcome, code, self._number, self._file, moved, scheduled, ended, **phases)
        )


def _tell(deed: Deed, error: Refusal | Gone | TimeoutError) -> None:
    match error:
        case Refusal():
            deed.outcome, deed.code = Outcome.REFUSED, error.reply.code
            deed.words = str(error.reply)
        case Gone():
            deed.outcome, deed.words = Outcome.LOST, str(error)
        case _:
            deed.outcome, deed.words = Outcome.LATE, str(error) or "no answer in time"
