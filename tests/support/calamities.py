"""What befalls a machine: its disk is full, its wall clock is set."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .backend import Backend
from .users import ALICE

LIBRARIES = Path("/usr/lib")
FAKETIME = "faketime/libfaketimeMT.so.1"
LEAVE = 20_000  # bytes of a full disk: a file begins well and then fails


@contextmanager
def small_disk(server: Backend, megabytes: int) -> Iterator[Path]:
    """Put the home of alice on a disk of its own. The server is started anew to see it."""
    home = server.home()
    options = f"size={megabytes}m,mode=755,uid={ALICE.number},gid={ALICE.number}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(home)], check=True)
    try:
        server.crash_and_restart()
        yield home
    finally:
        subprocess.run(["umount", "--lazy", str(home)], check=True)


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Leave next to nothing free while the block lasts."""
    ballast = disk / ".ballast"
    try:
        # Others write meanwhile: then it is full without us.
        with ballast.open("wb") as file, suppress(OSError):
            os.posix_fallocate(file.fileno(), 0, max(1, shutil.disk_usage(disk).free - LEAVE))
        yield
    finally:
        ballast.unlink(missing_ok=True)


class WallClock:
    """The wall clock of processes started with `environment`; their monotonic clock is real."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "wall-clock"
        self.set(0)

    @property
    def environment(self) -> dict[str, str]:
        """What makes a process see this clock."""
        found = next(LIBRARIES.glob(f"*/{FAKETIME}"), None)
        if found is None:
            raise RuntimeError("libfaketime must be installed: tests/support/packages.sh does it")
        return {
            "LD_PRELOAD": str(found),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",  # seconds until a step is noticed
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def set(self, offset: int) -> None:
        """Let it be so many seconds ahead of the time, or behind it."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{offset:+d}\n")
        fresh.replace(self._file)

    def step(self, chance: random.Random) -> None:
        """Set it somewhere within a day either way."""
        self.set(chance.randrange(-86_400, 86_400))
