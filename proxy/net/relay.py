"""The relay: bytes from one data connection to the other, through a kernel pipe.

Decides nothing. Small payloads move with one recv and one send; what is longer is spliced (Linux),
so that Python sees counts only. Elsewhere, or where splice is refused, everything is copied.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from enum import Enum, auto
from typing import Protocol

from .pipes import PIPES
from .throttle import Tap
from .turns import TURNS

CHUNK = 1 << 16  # the first bytes are copied: a small file never needs a pipe
# Bytes moved before others get their turn on the loop: a little less than the pipe holds, because
# what remains of a socket's buffer would cost two more system calls each time.
TURN = 15 << 16
CHECKS = 8  # looks for progress, at least, within the time after which a relay counts as stalled
LOOK = 1.0  # seconds at most between two of them: what is in vain is then seen soon

_HAS_SPLICE = hasattr(os, "splice")
_SPLICE_FLAGS = 0x01 | 0x02  # SPLICE_F_MOVE | SPLICE_F_NONBLOCK
_MSG_MORE: int = getattr(socket, "MSG_MORE", 0)


class End(Enum):
    """How a relay came to its end."""

    SOURCE_ENDED = auto()  # FIN: everything it sent has been handed to the target
    SOURCE_FAILED = auto()
    TARGET_FAILED = auto()
    STALLED = auto()


class Source(Protocol):
    """What is read from: a socket, or something that behaves like one."""

    def fileno(self) -> int: ...
    def recv_into(self, buffer: memoryview, /) -> int: ...


class Target(Protocol):
    """What is written to: a socket, or something that behaves like one."""

    def fileno(self) -> int: ...
    def send(self, data: bytes | memoryview, /) -> int: ...


_SCRATCH = memoryview(bytearray(CHUNK))


class Relay:
    """Moves bytes one way between two connected, non-blocking sockets until one ends.

    `moved` counts the bytes handed to the target. The sockets stay open: ending them is their
    owner's decision.
    """

    def __init__(
        self,
        source: Source,
        target: Target,
        *,
        stall: float,
        splice: bool = True,
        tap: Tap | None = None,
    ) -> None:
        self._source = source
        self._target = target
        self._stall = stall
        self._every = min(LOOK, stall / CHECKS)
        self._tap = tap  # None: nothing limits it
        # What is no socket itself, TLS for one, wants to see the bytes.
        are_sockets = isinstance(source, socket.socket) and isinstance(target, socket.socket)
        self._may_splice = splice and _HAS_SPLICE and are_sockets
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[End] = self._loop.create_future()
        self._reading = self._writing = self._has_asked = False
        self._kept = b""  # copied, not yet taken by the target
        self._pipe: tuple[int, int] | None = None
        self._piped = 0  # bytes in the pipe
        self._copying = True
        self._is_at_end = False  # the source has been read to its end
        self._broke: OSError | None = None  # met behind bytes that are handed over first
        self._seen = 0
        self._quiet = 0.0  # seconds, as far as looks tell
        self._timer: asyncio.TimerHandle | None = None
        self._is_in_vain: Callable[[], bool]  # set by run
        self.moved = 0

    async def run(self, is_in_vain: Callable[[], bool] = lambda: False) -> End:
        """Move everything; return how it ended. Cancelling leaves both sockets open.

        Where no byte has moved since the last look, `is_in_vain` may say that it will not.
        """
        self._is_in_vain = is_in_vain
        try:
            self._pump()
            if not self._done.done():
                self._check_later()
            return await self._done
        finally:
            if self._timer is not None:
                self._timer.cancel()
            self._watch(reading=False, writing=False)
            if self._tap is not None:
                self._tap.close()
            if self._pipe is not None:
                PIPES.give_back(self._pipe, is_empty=self._piped == 0)

    @property
    def is_held(self) -> bool:
        """Tell whether its rate keeps it waiting: then nothing has stalled."""
        return self._tap is not None and self._tap.is_waiting

    def _check(self) -> None:
        has_moved = self.moved != self._seen or self.is_held
        self._quiet = 0.0 if has_moved else self._quiet + self._every
        self._seen = self.moved
        if self._quiet >= self._stall or (self._quiet and self._is_in_vain()):
            self._finish(End.STALLED)
        else:
            self._check_later()

    def _check_later(self) -> None:
        self._timer = self._loop.call_later(self._every, self._check)

    def _finish(self, end: End) -> None:
        if not self._done.done():
            self._done.set_result(end)
        self._watch(reading=False, writing=False)

    def _ready(self) -> None:
        """Something can be moved: at once while it is little, else when our turn comes."""
        if self.moved < TURN:
            self._pump()
        else:
            self._ask_for_turn()

    def _ask_for_turn(self) -> None:
        if not self._has_asked:
            self._has_asked = True
            TURNS.ask(self._loop, self._turn)

    def _turn(self) -> None:
        self._has_asked = False
        if not self._done.done():  # else the sockets may be others' by now
            self._pump()

    def _pump(self) -> None:
        """Move a turn's worth, no more, then say what to wait for."""
        if (self._kept or self._piped) and not self._deliver():
            return
        if self._tap is None:
            self._move(TURN)
        elif paid := self._tap.draw(self._pump):
            self._tap.give_back(self._move(paid))
        else:
            self._watch(reading=False, writing=False)

    def _move(self, left: int) -> int:
        """Move at most `left` bytes; return how many of them were not taken from the source."""
        # A pipe takes whole packets, mostly 15/16 of a turn; what remains is no work of its own.
        crumbs = left // 8
        while left > crumbs:
            try:
                taken = self._take(left)
            except BlockingIOError:
                self._watch(reading=True, writing=False)
                return left
            except OSError:
                self._finish(End.SOURCE_FAILED)
                return left
            if taken == 0:
                self._finish(End.SOURCE_ENDED)
                return left
            left -= taken
            if (self._kept or self._piped) and not self._deliver():
                return left
        # The turn is over. More is likely to be there: the next turn will show.
        self._watch(reading=False, writing=False)
        self._ask_for_turn()
        return left

    def _deliver(self) -> bool:
        """Give the target all that was taken; False: it waits for that, or the relay has ended."""
        try:
            if self._give():
                return True
        except OSError:
            self._finish(End.TARGET_FAILED)
        else:
            self._watch(reading=False, writing=True)
        return False

    def _take(self, most: int) -> int:
        """Take bytes from the source; 0 is its end; raise BlockingIOError when none are there."""
        if self._copying:
            return self._copy(_SCRATCH if most >= CHUNK else _SCRATCH[:most])
        assert self._pipe is not None
        try:
            count = os.splice(self._source.fileno(), self._pipe[1], most, flags=_SPLICE_FLAGS)
        except OSError as problem:
            if problem.errno != errno.EINVAL:
                raise
            self._may_splice = False  # not this kind of socket: copy from now on
            self._copying = True
            return self._take(most)
        self._piped += count
        return count

    def _copy(self, buffer: memoryview) -> int:
        if self._is_at_end:
            return 0
        if self._broke is not None:
            raise self._broke
        count = self._source.recv_into(buffer)
        if not count:
            return 0
        if not self.moved and count < len(buffer):
            count += self._take_more(buffer[count:])
        self._hand_over(count)
        if count == CHUNK and self._may_splice:
            self._pipe = self._pipe or PIPES.take()
            self._copying = self._pipe is None
            self._may_splice = not self._copying
        return count

    def _take_more(self, room: memoryview) -> int:
        """See whether the first bytes are all, which a small file's mostly are; 0: they are, or
        nothing more has come yet."""
        try:
            more = self._source.recv_into(room)
        except BlockingIOError:
            return 0
        except OSError as problem:
            self._broke = problem  # the kernel tells it once, and the next time it says "ended"
            return 0
        self._is_at_end = more == 0
        return more

    def _hand_over(self, count: int) -> None:
        """Send straight from the scratch buffer; what the target would not take is kept."""
        try:
            if self._is_at_end and type(self._target) is socket.socket:
                # The FIN follows, and takes them with it: a packet less, and one that wakes the
                # other side once and not twice. Should it be late, the kernel sends them after
                # 200 ms.
                sent = self._target.send(_SCRATCH[:count], _MSG_MORE)
            else:
                sent = self._target.send(_SCRATCH[:count])
        except BlockingIOError:
            sent = 0
        except OSError:
            self._kept = bytes(_SCRATCH[:count])  # _give meets the same error and tells it
            return
        self.moved += sent
        if sent < count:
            self._kept = bytes(_SCRATCH[sent:count])

    def _give(self) -> bool:
        """Give the target what was taken; False when it would not have it all now."""
        try:
            if self._kept:
                sent = self._target.send(self._kept)
                self.moved += sent
                self._kept = self._kept[sent:]
            while self._piped and not self._kept:
                assert self._pipe is not None
                sent = os.splice(
                    self._pipe[0], self._target.fileno(), self._piped, flags=_SPLICE_FLAGS
                )
                self.moved += sent
                self._piped -= sent
        except BlockingIOError:
            return False
        return not self._kept and not self._piped

    def _watch(self, *, reading: bool, writing: bool) -> None:
        if reading != self._reading:
            self._reading = reading
            if reading:
                self._loop.add_reader(self._source, self._ready)
            else:
                self._loop.remove_reader(self._source)
        if writing != self._writing:
            self._writing = writing
            if writing:
                self._loop.add_writer(self._target, self._ready)
            else:
                self._loop.remove_writer(self._target)
