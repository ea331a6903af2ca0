"""Find all processes of a program by the mount namespace that it alone has.

Neither the parent nor the session tells: daemons leave both, and no process can leave this behind
by accident. Ends nothing.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class World:
    """One mount namespace, remembered after its first process has ended."""

    name: str

    @classmethod
    def of(cls, pid: int) -> Self:
        """Return the world of a process; ours is an error, because everybody lives in it."""
        name = str(Path(f"/proc/{pid}/ns/mnt").readlink())
        if name == str(Path("/proc/self/ns/mnt").readlink()):
            raise ValueError(f"process {pid} lives where we live")
        return cls(name)

    def processes(self) -> set[int]:
        """Return the numbers of the processes in it; zombies have left it."""
        found = set()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):  # it has just ended
                    if str((entry / "ns" / "mnt").readlink()) == self.name:
                        found.add(int(entry.name))
        return found
