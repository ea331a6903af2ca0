"""Several processes behind one address: starts them, keeps them, passes on what it is told.

Forks before there is any loop or thread, and serves nobody itself.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

PASSED_ON: Final = {
    signal.SIGTERM: signal.SIGTERM,
    signal.SIGINT: signal.SIGTERM,
    signal.SIGQUIT: signal.SIGQUIT,
    signal.SIGHUP: signal.SIGHUP,
    signal.SIGUSR2: signal.SIGUSR2,
}
ENDINGS: Final = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}
HEARD: Final = {*PASSED_ON, signal.SIGCHLD, signal.SIGUSR1}
TICK: Final = 0.1  # seconds between two looks at what is due
SOON, LATEST = 1.0, 30.0  # seconds until a worker that died is started again
STEADY: Final = 10.0  # one that lived so long is started again soon
DIE_WITH_PARENT: Final = 1  # PR_SET_PDEATHSIG of prctl(2)

# Runs one worker to its end and returns its exit code; calls the function when it serves.
Work = Callable[[int, Callable[[], None]], int]


class Workers:
    """The processes, and what is due. `tell` writes a line for who looks on."""

    def __init__(self, count: int, work: Work, tell: Callable[[str], None]) -> None:
        self._count = count
        self._work = work
        self._tell = tell
        self._numbers: dict[int, int] = {}  # process id -> number of the worker
        self._started: dict[int, float] = {}
        self._pauses: dict[int, float] = {}
        self._due: dict[int, float] = {}  # number -> when it is started again
        self._waited_for = set(range(count))  # those that have not served yet
        self._is_ending = False
        self._code = 0

    def run(self, ready: Callable[[], None], ending: Callable[[], None]) -> int:
        """Keep all of them until told to end; return the exit code.

        `ready` is called once, when all serve for the first time, `ending` when they are told to
        end. A worker that cannot even begin ends all.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
        self._news, self._pipe = os.pipe()
        os.set_blocking(self._news, False)
        self._ready, self._ending = ready, ending
        for number in range(self._count):
            self._start(number)
        while self._numbers or (self._due and not self._is_ending):
            heard = signal.sigtimedwait(HEARD, TICK)
            if heard is not None and heard.si_signo in PASSED_ON:
                self._pass_on(signal.Signals(heard.si_signo))
            self._hear_ready()
            self._reap()
            self._start_due()
        os.close(self._news)
        os.close(self._pipe)
        return self._code

    def _start(self, number: int) -> None:
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            self._become(number)
        self._numbers[pid] = number
        self._started[number] = time.monotonic()

    def _become(self, number: int) -> None:
        """Be the worker; never return."""
        code = 1
        try:
            # A terminal's Ctrl-C is for the parent, who passes it on once.
            os.setpgid(0, 0)
            ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGTERM)
            os.close(self._news)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD)
            if "LISTEN_PID" in os.environ:  # sockets of the service manager are for all of us
                os.environ["LISTEN_PID"] = str(os.getpid())
            os.environ.pop("NOTIFY_SOCKET", None)  # the parent speaks with it
            code = self._work(number, lambda: _say(self._pipe, number))
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _hear_ready(self) -> None:
        with suppress(BlockingIOError):
            heard = set(os.read(self._news, 4096))
            if self._waited_for and not self._waited_for - heard:
                self._ready()
            self._waited_for -= heard

    def _pass_on(self, number: signal.Signals) -> None:
        if number in ENDINGS and not self._is_ending:
            self._is_ending = True
            self._ending()
        self._signal_all(PASSED_ON[number])

    def _signal_all(self, number: signal.Signals) -> None:
        for pid in self._numbers:
            os.kill(pid, number)

    def _reap(self) -> None:
        while self._numbers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self._has_ended(self._numbers.pop(pid), os.waitstatus_to_exitcode(status))

    def _has_ended(self, number: int, code: int) -> None:
        if self._is_ending:
            self._code = self._code or (code if code > 0 else 0)
            return
        if number in self._waited_for:
            # What cannot begin now cannot begin later: its words are on standard error already.
            self._code = code if code > 0 else 1
            self._is_ending = True
            self._signal_all(signal.SIGTERM)
            return
        lived = time.monotonic() - self._started[number]
        pause = SOON if lived >= STEADY else min(LATEST, 2 * self._pauses.get(number, SOON / 2))
        self._pauses[number] = pause
        self._due[number] = time.monotonic() + pause
        self._tell(f"worker {number + 1} ended with {code}: started again in {pause:g} s")

    def _start_due(self) -> None:
        now = time.monotonic()
        for number in [number for number, due in self._due.items() if due <= now]:
            del self._due[number]
            if not self._is_ending:
                self._start(number)


def _say(pipe: int, number: int) -> None:
    os.write(pipe, bytes([number]))
