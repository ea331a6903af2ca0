"""A child's way to its parent: what it says, and what it does at the parent's word."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final, TypeAlias

from proxy.events import ReloadRefused
from proxy.phase import Phase

from .message import LONGEST, Outcome, Word, message, outcome_in

BEAT: Final = 3.0  # seconds between two signs of life
UNHEARD: Final = ReloadRefused(("nobody is there to decide it",))

# Says what would become of a reload here, and returns what becomes of it everywhere.
Agree: TypeAlias = Callable[[Outcome], Awaitable[Outcome]]


class Voice:
    """Also what the process around an app reports to."""

    def __init__(self, line: socket.socket) -> None:
        line.setblocking(False)
        self._line = line
        self._asking = asyncio.Lock()
        self._decided: asyncio.Future[Outcome] | None = None

    def say(self, word: Word) -> None:
        """Tell the parent."""
        self._send(message(word))

    def entered(self, phase: Phase) -> None:
        """Tell when it serves."""
        if phase is Phase.SERVING:
            self.say(Word.SERVES)

    async def keep_told(self, is_sound: Callable[[], bool], status: Callable[[], str]) -> None:
        """Give signs of life for as long as it is well."""
        while True:
            if is_sound():
                self.say(Word.SOUND)
            await asyncio.sleep(BEAT)

    async def listen(self, reload: Callable[[Agree], None]) -> None:
        """Begin a reload whenever the parent says so, for as long as it lives."""
        loop = asyncio.get_running_loop()
        try:
            while heard := await loop.sock_recv(self._line, LONGEST):
                if heard[0] == Word.JUDGE:
                    self._decided = loop.create_future()
                    reload(partial(self._agree, heard[1], self._decided))
                else:
                    self._decide(outcome_in(heard))
        finally:
            self._decide(UNHEARD)

    def drain(self) -> None:
        """Have all of them end."""
        self.say(Word.DRAIN)

    async def reload(self) -> Outcome:
        """Have all the others read the file anew; tell what has become of it."""
        async with self._asking:
            self._decided = asyncio.get_running_loop().create_future()
            self.say(Word.RELOAD)
            return await self._decided

    async def _agree(self, reload: int, decided: asyncio.Future[Outcome], here: Outcome) -> Outcome:
        self._send(message(Word.JUDGED, reload, here))
        return await decided

    def _decide(self, outcome: Outcome) -> None:
        if self._decided is not None and not self._decided.done():
            self._decided.set_result(outcome)

    def _send(self, told: bytes) -> None:
        # A parent that has died need not know: whoever outlives it drains.
        with suppress(OSError):
            self._line.send(told)
