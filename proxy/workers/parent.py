"""The parent: starts the processes, keeps them, passes on what it is told, and has them agree.

Forks before there is any loop or thread, and serves nobody itself. Beside the workers there may be
a desk, which shows all of them on one page: it is kept like them, and ends when they have.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Final, Protocol

from .message import LONGEST, Outcome, Word, outcome_in
from .reloads import Reloads
from .voice import Voice

PASSED_ON: Final = {
    signal.SIGTERM: signal.SIGTERM,
    signal.SIGINT: signal.SIGTERM,
    signal.SIGQUIT: signal.SIGQUIT,
    signal.SIGUSR2: signal.SIGUSR2,
}
ENDINGS: Final = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}
HEARD: Final = {*PASSED_ON, signal.SIGHUP, signal.SIGCHLD, signal.SIGIO, signal.SIGUSR1}
TICK: Final = 0.1  # seconds by which what is due may be late: nothing is looked at more often
SOON, LATEST = 1.0, 30.0  # seconds until a worker that died is started again
STEADY: Final = 10.0  # one that lived so long is started again soon
DIE_WITH_PARENT: Final = 1  # PR_SET_PDEATHSIG of prctl(2)
SILENT: Final = 20.0  # one that gave no sign of life for so many seconds hangs: it is ended


# Runs one child to its end, and returns its exit code.
Work = Callable[[int, Voice], int]


class Overseer(Protocol):
    """Who hears of what the parent sees."""

    def ready(self) -> None:
        """All serve for the first time."""
        ...

    def ending(self) -> None:
        """All have been told to end."""
        ...

    def reread(self) -> None:
        """Read the file anew: all are about to judge what it says."""
        ...

    def decided(self, outcome: Outcome) -> None:
        """All go on by what it said, or nobody does."""
        ...

    def look(self, is_sound: bool, status: str) -> float:
        """So it is now; return when (on the clock) that is to be told again at the latest."""
        ...

    def tell(self, line: str) -> None:
        """Something that an operator wants to know."""
        ...


class Workers:
    """The processes, and what is due. They are numbered from 0; the desk has the last number."""

    def __init__(
        self, count: int, work: Work, overseer: Overseer, *, desk: Work | None = None
    ) -> None:
        self._count = count
        self._works = [work] * count + ([desk] if desk is not None else [])
        self._overseer = overseer
        self._numbers: dict[int, int] = {}  # process id -> number
        self._lines: dict[int, socket.socket] = {}  # number -> our end of the way to it
        self._started: dict[int, float] = {}
        self._heard: dict[int, float] = {}  # number -> its last sign of life; none before it serves
        self._pauses: dict[int, float] = {}
        self._due: dict[int, float] = {}  # number -> when it is started again
        self._waited_for = set(range(len(self._works)))  # those that have not served yet
        self._look_due = 0.0
        self._is_ending = False
        self._code = 0
        self._reloads = Reloads(overseer.reread, overseer.decided, self._tell)

    def run(self) -> int:
        """Keep all of them until told to end; return the exit code.

        One that cannot even begin ends all.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
        for number in range(len(self._works)):
            self._start(number)
        while self._numbers or (self._due and not self._is_ending):
            self._heed(signal.sigtimedwait(HEARD, self._leisure()))
            self._hear()
            self._reap()
            self._end_silent()
            self._reloads.advance(self._members(), time.monotonic())
            self._start_due()
            self._look_due = self._overseer.look(not self._silent(), self._status())
        return self._code

    def _leisure(self) -> float:
        """Return for how long nothing is due, unless somebody says something."""
        return max(TICK, min(self._dues()) - time.monotonic())

    def _dues(self) -> Iterator[float]:
        yield self._look_due
        yield self._reloads.due
        yield from self._due.values()
        yield from (heard + SILENT for heard in self._heard.values())

    def _heed(self, told: signal.struct_siginfo | None) -> None:
        if told is None:
            return
        if told.si_signo in PASSED_ON:
            self._pass_on(signal.Signals(told.si_signo))
        if told.si_signo == signal.SIGHUP:
            self._reloads.ask()

    def _start(self, number: int) -> None:
        sys.stdout.flush()
        self._heard.pop(number, None)
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # SIGIO tells us when there is something to hear.
        fcntl.fcntl(ours, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(ours, fcntl.F_SETFL, os.O_NONBLOCK | os.O_ASYNC)
        self._lines[number] = ours
        pid = os.fork()
        if pid == 0:
            self._become(number, its)
        its.close()
        self._numbers[pid] = number
        self._started[number] = time.monotonic()

    def _become(self, number: int, line: socket.socket) -> None:
        """Be the worker; never return."""
        code = 1
        try:
            # A terminal's Ctrl-C is for the parent, who passes it on once.
            os.setpgid(0, 0)
            ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGTERM)
            for another in self._lines.values():
                another.close()
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until it knows what to do with it
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD)
            if "LISTEN_PID" in os.environ:  # sockets of the service manager are for all of us
                os.environ["LISTEN_PID"] = str(os.getpid())
            os.environ.pop("NOTIFY_SOCKET", None)  # the parent speaks with it
            code = self._works[number](number, Voice(line))
        finally:
            with suppress(OSError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _hear(self) -> None:
        for number, line in self._lines.items():
            with suppress(OSError):  # nothing more for now, or for ever
                while heard := line.recv(LONGEST):
                    self._understand(number, heard)

    def _understand(self, number: int, heard: bytes) -> None:
        match Word(heard[0]):
            case Word.SERVES | Word.SOUND:
                self._serves(number)
            case Word.DRAIN:
                if not self._is_ending:
                    self._pass_on(signal.SIGTERM)
            case Word.RELOAD:
                self._reloads.ask(number)
            case Word.JUDGED:
                self._reloads.answered(heard[1], number, outcome_in(heard))
            case Word.JUDGE | Word.DECIDED:
                pass  # the parent's own

    def _tell(self, number: int, told: bytes) -> None:
        with suppress(OSError):  # one that has ended, or hangs: it will be seen
            self._lines[number].send(told)

    def _serves(self, number: int) -> None:
        self._heard[number] = time.monotonic()
        if self._waited_for:
            self._waited_for.discard(number)
            if not self._waited_for:
                self._overseer.ready()

    def _pass_on(self, number: signal.Signals) -> None:
        if number in ENDINGS and not self._is_ending:
            self._end()
            self._overseer.ending()
        self._signal(self._workers(), PASSED_ON[number])

    def _end(self) -> None:
        self._is_ending = True
        self._reloads.end()

    def _workers(self) -> list[int]:
        """Return the processes that serve clients."""
        return [pid for pid, number in self._numbers.items() if number < self._count]

    def _members(self) -> list[int]:
        """Return the numbers of those."""
        return [number for number in self._numbers.values() if number < self._count]

    def _signal(self, pids: Iterable[int], number: signal.Signals) -> None:
        for pid in pids:
            os.kill(pid, number)

    def _silent(self) -> list[int]:
        """Return the processes that have served and give no sign of life any more."""
        limit = time.monotonic() - SILENT
        return [
            pid for pid, number in self._numbers.items() if self._heard.get(number, limit) < limit
        ]

    def _end_silent(self) -> None:
        for pid in self._silent():
            self._overseer.tell(f"{self._name(self._numbers[pid])} hangs: it is ended")
            os.kill(pid, signal.SIGKILL)

    def _status(self) -> str:
        doing = "ending" if self._is_ending else "serving"
        return f"{doing}: {len(self._workers())} of {self._count} workers are there"

    def _name(self, number: int) -> str:
        return f"worker {number + 1}" if number < self._count else "the status page"

    def _reap(self) -> None:
        while self._numbers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            self._has_ended(self._numbers.pop(pid), os.waitstatus_to_exitcode(status))
        if self._is_ending and not self._workers():
            self._signal(self._numbers, signal.SIGTERM)  # the desk: nothing is left to be seen

    def _has_ended(self, number: int, code: int) -> None:
        self._lines.pop(number).close()
        self._reloads.lost(number, f"it has ended with {code}")
        if self._is_ending:
            self._code = self._code or (code if code > 0 else 0)
            return
        if number in self._waited_for:
            # What cannot begin now cannot begin later: its words are on standard error already.
            self._code = code if code > 0 else 1
            self._end()
            self._signal(self._workers(), signal.SIGTERM)
            return
        lived = time.monotonic() - self._started[number]
        pause = SOON if lived >= STEADY else min(LATEST, 2 * self._pauses.get(number, SOON / 2))
        self._pauses[number] = pause
        self._due[number] = time.monotonic() + pause
        self._overseer.tell(f"{self._name(number)} ended with {code}: started again in {pause:g} s")

    def _start_due(self) -> None:
        if self._reloads.goes_on:
            return  # it would begin with what may be over when it serves
        now = time.monotonic()
        for number in [number for number, due in self._due.items() if due <= now]:
            del self._due[number]
            if not self._is_ending:
                self._start(number)
