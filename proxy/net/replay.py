"""A source that can be read again from a little way back: what a relay took, and lost on its way.

The last bytes read are kept in memory that all such sources share. Decides nothing.
"""

from __future__ import annotations

from collections import deque

from .data import Stream

SHARES = 8  # one source may have this part of the memory
OVERHEAD = 64  # what a piece costs beside its bytes: some clients send them one by one


class ReplayMemory:
    """How many bytes all sources together may keep; counts only."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.used = 0

    def lend(self, count: int, held: int) -> bool:
        """Take `count` bytes for a source that holds so many already; False: it must do without."""
        if held + count > self.most // SHARES or self.used + count > self.most:
            return False
        self.used += count
        return True

    def take_back(self, count: int) -> None:
        """These are free again."""
        self.used -= count


class Replay:
    """Stands for a stream, remembers the last of what was read, and reads that again if asked to.

    What the stream met, an error or its end, it meets for ever: the kernel tells an error once.
    """

    def __init__(self, stream: Stream, memory: ReplayMemory) -> None:
        self._stream = stream
        self._memory = memory
        self._kept: deque[bytes] = deque()
        self._held = 0  # bytes in `_kept`
        self._lent = 0  # what they cost
        self._again: deque[memoryview] = deque()  # to be read again before the stream is
        self._broke: OSError | None = None
        self.taken = 0  # bytes read from the stream

    @property
    def oldest(self) -> int:
        """The first byte that can be read again, counted from the beginning."""
        return self.taken - self._held

    def fileno(self) -> int:
        """Return the stream's own descriptor."""
        return self._stream.fileno()

    def rewind(self, position: int) -> None:
        """Read on from this byte, which must not be older than `oldest`."""
        assert self.oldest <= position <= self.taken
        self._again.clear()
        left = self.taken - position
        for piece in reversed(self._kept):
            if not left:
                break
            part = memoryview(piece)[-left:]
            self._again.appendleft(part)
            left -= len(part)

    def recv_into(self, buffer: memoryview, /) -> int:
        """Fill the buffer; 0 is the end."""
        if self._again:
            return self._repeat(buffer)
        if self._broke is not None:
            raise self._broke
        try:
            count = self._stream.recv_into(buffer)
        except BlockingIOError:
            raise
        except OSError as problem:
            self._broke = problem
            raise
        if count:
            self.taken += count
            self._keep(bytes(buffer[:count]))
        return count

    def close(self) -> None:
        """Forget everything; the stream is its owner's to end."""
        self._again.clear()
        while self._kept:
            self._forget_oldest()

    def _repeat(self, buffer: memoryview) -> int:
        piece = self._again.popleft()
        count = min(len(piece), len(buffer))
        buffer[:count] = piece[:count]
        if count < len(piece):
            self._again.appendleft(piece[count:])
        return count

    def _keep(self, piece: bytes) -> None:
        """Keep it in the place of the oldest ones, where there is no other."""
        cost = len(piece) + OVERHEAD
        while not self._memory.lend(cost, self._lent):
            if not self._kept:
                return
            self._forget_oldest()
        self._kept.append(piece)
        self._held += len(piece)
        self._lent += cost

    def _forget_oldest(self) -> None:
        count = len(self._kept.popleft())
        self._held -= count
        self._lent -= count + OVERHEAD
        self._memory.take_back(count + OVERHEAD)
