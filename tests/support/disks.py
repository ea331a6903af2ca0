"""A disk so small that it fills up: a tmpfs that vanishes with its block. Needs root."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from .programs import need_root, program


class Disk:
    """A file system of so many bytes, a multiple of 4096."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def resize(self, size: int) -> None:
        """Make it larger, or smaller if that is free."""
        _mount("-o", f"remount,size={size}", str(self.folder))


@contextlib.contextmanager
def disk(folder: Path, size: int) -> Iterator[Disk]:
    """Mount one at this empty folder for the length of the block."""
    need_root("a disk of our own")
    _mount("-t", "tmpfs", "-o", f"size={size}", "disk", str(folder))
    try:
        yield Disk(folder)
    finally:
        subprocess.run([program("umount"), str(folder)], check=True)


def _mount(*words: str) -> None:
    subprocess.run([program("mount"), *words], check=True)
