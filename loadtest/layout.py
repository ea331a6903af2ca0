"""Who is who: which script belongs to which group, where it works, what its files are called.

Both sides derive names from numbers, so nothing about a file is ever told between processes. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from .content import size_of
from .scenario import Group

ADDRESSES: Final = 250 * 256  # of one group


@dataclass(frozen=True, slots=True)
class Member:
    """One place in the scenario's list of scripts; later arrivals take the places again."""

    group: Group
    group_number: int
    number: int  # within its group

    @property
    def name(self) -> str:
        """What reports call it."""
        return f"{self.group.name}-{self.number:04d}"

    @property
    def folder(self) -> str:
        """Its working directory on the server."""
        return f"/{self.name}"

    def source(self, script: int) -> str:
        """Return the loopback address it comes from, when sources are told apart."""
        number = {"own": self.number, "one": 0, "new": script % ADDRESSES}[self.group.sources]
        return f"127.{16 + self.group_number}.{number // 250}.{number % 250 + 1}"

    def file_name(self, script: int, file: int) -> str:
        """Name a file. Uploads of later arrivals do not overwrite earlier ones."""
        if self.group.do == "upload":
            return f"up{file:05d}-{script:06d}.bin"
        return f"f{file:05d}.bin"

    def path(self, script: int, file: int) -> str:
        """Name a file with its directory."""
        return f"{self.folder}/{self.file_name(script, file)}"

    def size(self, script: int, file: int) -> int:
        """Return how large that file is."""
        return size_of(self.path(script, file), self.group.size)

    def files_on_server(self) -> Iterator[tuple[str, int]]:
        """List the files, with their sizes, that must be there before the script starts."""
        if self.group.do in ("download", "list"):
            for file in range(self.group.files):
                yield self.path(0, file), self.size(0, file)

    @property
    def deeds(self) -> int:
        """How many files, listings or holds one script of it is meant to do."""
        return 1 if self.group.do == "idle" else self.group.files


def members(groups: Sequence[Group]) -> list[Member]:
    """List all places, group by group."""
    return [
        Member(group, at, number)
        for at, group in enumerate(groups)
        for number in range(group.count)
    ]
