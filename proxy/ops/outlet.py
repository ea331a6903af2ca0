"""Standard error, where lines are written without long waiting for who reads them."""

from __future__ import annotations

import errno
import os
import select
import stat
import sys
from typing import Final

STANDARD_ERROR: Final = 2
# A pipe that has room at all takes so much at once (pipe(7), PIPE_BUF).
AT_ONCE: Final = select.PIPE_BUF
# Seconds for which one who reads may be slow, before it counts as one who does not.
PATIENCE: Final = 0.5


class Outlet:
    """Writes to a descriptor that others may share: how they write to it is left as it is."""

    def __init__(self, descriptor: int, patience: float = PATIENCE) -> None:
        self._descriptor = descriptor
        self._patience = patience
        self._room: select.poll | None = None  # a file is never waited for
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            self._room = select.poll()
            self._room.register(descriptor, select.POLLOUT)
        self._is_stuck = False  # nobody has read since a line was given up
        self._is_cut = False  # in the middle of a line

    @property
    def is_terminal(self) -> bool:
        """Tell whether people read it."""
        return os.isatty(self._descriptor)

    def write(self, lines: str) -> None:
        """Write whole lines; raise OSError when they cannot be, or would have to be waited for."""
        rest = lines.encode("utf-8", "backslashreplace")
        if self._is_cut:
            rest = b"\n" + rest
        while rest:
            if self._room is not None:
                self._wait_for_room(self._room)
            rest = rest[os.write(self._descriptor, rest[:AT_ONCE]) :]
            self._is_cut = bool(rest)

    def _wait_for_room(self, room: select.poll) -> None:
        """Wait once for a reader who stands still, and not again before it goes on."""
        patience = 0 if self._is_stuck else 1000 * self._patience
        self._is_stuck = not room.poll(patience)
        if self._is_stuck:
            raise BlockingIOError(errno.EAGAIN, "nobody reads it")


def standard_error() -> Outlet:
    """Return the way to standard error; to nowhere, where whoever started us has closed it."""
    if sys.stderr is None:  # its number may be a client's socket by now
        return Outlet(os.open(os.devnull, os.O_WRONLY))
    return Outlet(STANDARD_ERROR)
