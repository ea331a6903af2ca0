"""The ledger's state file: a table of slots in shared memory that survives the process.

Each slot has a row, written before its SYN and again when its socket is gone. The file is mapped,
so a write costs no system call, and the kernel keeps it when we are killed (kill -9). After a crash
of the machine itself the table is not believed: then everything counts as used.
"""

from __future__ import annotations

import fcntl
import heapq
import math
import mmap
import os
import stat
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from proxy.shaping.ledger import Kind

# magic, boot id, closed cleanly, wall clock minus monotonic clock in seconds
_HEADER: Final = struct.Struct("<8s36sB3xd")
_MAGIC: Final = b"ftpweir1"
# Behind the header: how many rows there must be. A file that has fewer was cut.
_ROWS: Final = struct.Struct("<Q")
_ROWS_AT: Final = _HEADER.size
_FIRST_ROW: Final = 64
# state, kind, reserved at, counts until; seconds of the monotonic clock
_ROW: Final = struct.Struct("<BB6xdd")
_FREE, _OPEN, _COOLING = 0, 1, 2
_KINDS: Final = tuple(Kind)
_UNTIL: Final = struct.Struct("<d")
_UNTIL_AT: Final = 16
_GROW: Final = 1024  # rows added at a time


class JournalError(Exception):
    """The state file cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """One slot found at the start; `until` None means that it was open when the process ended."""

    kind: Kind
    until: float | None


class Journal:
    """The open state file. `remembered` is what it held, None when it cannot be believed.

    It begins with room for so many `rows` and for what is remembered, and grows as needed.
    """

    def __init__(self, path: Path, *, now: float, rows: int = 1, boot: bytes | None = None) -> None:
        self._boot = _boot_id() if boot is None else boot
        self._rows: dict[int, int] = {}  # slot id -> offset of its row
        self._cooling: list[tuple[float, int]] = []  # heap of (until, offset)
        self._free: list[int] = []
        self._file = _locked(path)
        try:
            self.remembered = _slots_in(self._file.read(), now, self._boot)
            self._map = self._new_table(max(rows, len(self.remembered or ())))
        except OSError as problem:
            self._file.close()
            message = f"cannot use the state file {path}: {problem.strerror}"
            raise JournalError(message) from None

    def has_room(self, slots: int, now: float) -> bool:
        """Tell whether so many more can be remembered; False means that the disk is full."""
        if len(self._free) >= slots:
            return True
        while self._cooling and self._cooling[0][0] <= now:
            self._free.append(heapq.heappop(self._cooling)[1])
        try:
            while len(self._free) < slots:
                self._grow()
        except OSError:
            return False
        return True

    def opened(self, slot: int, kind: Kind, now: float) -> None:
        """Write ahead: the SYN follows. One that there is no room for is not remembered."""
        if not self.has_room(1, now):
            return
        at = self._rows[slot] = self._free.pop()
        _ROW.pack_into(self._map, at, _FREE, _KINDS.index(kind), now, 0.0)
        self._map[at] = _OPEN  # last, so that a row is never half written

    def closed(self, slot: int, until: float) -> None:
        """The socket is gone; the slot counts until then."""
        if (at := self._rows.pop(slot, None)) is None:
            return
        _UNTIL.pack_into(self._map, at + _UNTIL_AT, until)
        self._map[at] = _COOLING
        heapq.heappush(self._cooling, (until, at))

    def cancelled(self, slot: int) -> None:
        """No SYN was sent."""
        if (at := self._rows.pop(slot, None)) is not None:
            self._map[at] = _FREE
            self._free.append(at)

    def close(self) -> None:
        """Mark the table as complete and write it to the disk: it holds across a reboot too."""
        self._write_header(clean=True, now=time.monotonic())
        self._map.flush()
        self._map.close()
        self._file.close()

    # Inside.

    def _new_table(self, rows: int) -> mmap.mmap:
        # Zeroed, never empty: should we die here, such a header is not believed (assume full),
        # but an empty file would be a first start.
        os.pwrite(self._file.fileno(), bytes(_FIRST_ROW), 0)
        os.ftruncate(self._file.fileno(), _FIRST_ROW)
        self._map = mmap.mmap(self._file.fileno(), 0)
        while len(self._free) < rows:
            self._grow()
        return self._map

    def start(self, now: float) -> None:
        """Believe the table from now on: what was remembered has been booked again."""
        self._write_header(clean=False, now=now)

    def _write_header(self, *, clean: bool, now: float) -> None:
        offset = time.time() - now
        _HEADER.pack_into(self._map, 0, _MAGIC, self._boot, clean, offset)

    def _grow(self) -> None:
        size, more = len(self._map), _GROW * _ROW.size
        # A hole that the disk has no room for would kill us (SIGBUS) when it is written.
        os.posix_fallocate(self._file.fileno(), size, more)
        self._map.resize(size + more)
        self._free.extend(range(size, len(self._map), _ROW.size))
        _ROWS.pack_into(self._map, _ROWS_AT, (len(self._map) - _FIRST_ROW) // _ROW.size)


@dataclass(frozen=True, slots=True)
class Glance:
    """What a state file holds. `slots` None: it cannot be believed; expired ones are among them."""

    is_held: bool  # by a running proxy
    slots: list[Remembered] | None


def glance(path: Path, *, now: float) -> Glance | None:
    """Read a state file that may be in use, changing nothing; None: there is none.

    Raises OSError. Rows that the proxy writes meanwhile may be read before or after.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    with file:
        try:
            # Shared, and given back at once: a proxy that starts just now hardly meets it.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            fcntl.flock(file, fcntl.LOCK_UN)
            is_held = False
        except BlockingIOError:
            is_held = True
        return Glance(is_held, _slots_in(file.read(), now, _boot_id()))


def _slots_in(data: bytes, now: float, boot: bytes) -> list[Remembered] | None:
    """Return the slots found; an empty file is a first start."""
    if not data:
        return []
    try:
        magic, written_in, clean, offset = _HEADER.unpack_from(data)
        (rows,) = _ROWS.unpack_from(data, _ROWS_AT)
    except struct.error:
        return None
    size = len(data) - _FIRST_ROW
    if magic != _MAGIC or size < rows * _ROW.size or size % _ROW.size:
        return None
    shift = 0.0
    if written_in != boot:
        if not clean or not math.isfinite(offset):
            return None
        # Another boot, another monotonic clock: the wall clock carries the times over.
        shift = offset - (time.time() - now)
    return _rows_of(data, shift)


def _rows_of(data: bytes, shift: float) -> list[Remembered] | None:
    found = []
    for state, kind, _, until in _ROW.iter_unpack(data[_FIRST_ROW:]):
        if state not in (_FREE, _OPEN, _COOLING) or kind >= len(_KINDS):
            return None
        if not math.isfinite(until):
            return None
        if state == _OPEN:
            found.append(Remembered(_KINDS[kind], None))
        elif state == _COOLING:
            found.append(Remembered(_KINDS[kind], until + shift))
    return found


def _locked(path: Path) -> BinaryIO:
    """Open the file for us alone: two proxies that share it would spoil both their ledgers."""
    try:
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        raise JournalError(f"cannot open the state file {path}: {problem.strerror}") from None
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise JournalError(f"the state file {path} is no file: write 'state: none' to have none")
    file = os.fdopen(number, "r+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        message = f"the state file {path} is in use by another ftpweir: give each its own 'state'"
        raise JournalError(message) from None
    return file


def _boot_id() -> bytes:
    """Return what tells this boot of the machine from any other."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_bytes().strip()[:36]
    except OSError:
        return b"unknown"
