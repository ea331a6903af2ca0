"""Kernel pipes for relays, kept for the next one. Knows nothing of what goes through them."""

from __future__ import annotations

import os
import resource

SIZE = 1 << 20  # bytes; measured best with splice: 64 KiB costs a third of the throughput
LEAST = 1 << 16  # bytes that a pipe must hold, or copying is better
KEEP = 32
KEEP_SHARE = 32  # of so many descriptors that there may be, at most one pipe is kept
SPARE = 128  # descriptors that no pipe takes: connections need them, and bytes can be copied

_F_SETPIPE_SZ, _F_GETPIPE_SZ = 1031, 1032


class Pipes:
    """Kernel pipes kept for the next relay: making one costs as much as a small transfer."""

    def __init__(self, size: int = SIZE, least: int = LEAST) -> None:
        self._size = size
        self._least = least
        self._idle: list[tuple[int, int]] = []

    def take(self) -> tuple[int, int] | None:
        """Return (read end, write end) of an empty pipe; None: copying is better than what is left.

        A user who is not root has 64 pipes of 1 MiB (pipe-user-pages-soft); the next hold 8 KiB.
        """
        if self._idle:
            return self._idle.pop()
        try:
            ends = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None  # no descriptor is left
        # A new descriptor has the lowest number that is free.
        if ends[1] >= _most_descriptors() - SPARE or self._enlarge(ends[1]) < self._least:
            os.close(ends[0])
            os.close(ends[1])
            return None
        return ends

    def give_back(self, ends: tuple[int, int], *, is_empty: bool) -> None:
        """Keep an empty pipe, close one that still holds a stranger's bytes."""
        if is_empty and len(self._idle) < min(KEEP, _most_descriptors() // KEEP_SHARE):
            self._idle.append(ends)
        else:
            os.close(ends[0])
            os.close(ends[1])

    def _enlarge(self, end: int) -> int:
        """Return what the pipe holds then."""
        import fcntl  # where there is splice, there is fcntl

        try:
            return fcntl.fcntl(end, _F_SETPIPE_SZ, self._size)
        except OSError:
            return fcntl.fcntl(end, _F_GETPIPE_SZ)


def _most_descriptors() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


PIPES = Pipes()
