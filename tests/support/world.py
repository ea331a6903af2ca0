"""Find all processes of a program by the mount namespace that it alone has.

Neither the parent nor the session tells: daemons leave both, and no process can leave this behind
by accident. Ends nothing.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


class World:
    """One mount namespace, kept after its last process has ended, until it is closed.

    The kernel gives the number of one that is gone to the next: to another test's server.
    """

    def __init__(self, pid: int) -> None:
        self._held = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY)
        self._number = os.fstat(self._held).st_ino
        if self._number == os.stat("/proc/self/ns/mnt").st_ino:
            self.close()
            raise ValueError(f"process {pid} lives where we live")

    def processes(self) -> set[int]:
        """Return the numbers of the processes in it; zombies have left it."""
        found = set()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):  # it has just ended
                    if (entry / "ns" / "mnt").stat().st_ino == self._number:
                        found.add(int(entry.name))
        return found

    def close(self) -> None:
        """Let go of it."""
        os.close(self._held)
