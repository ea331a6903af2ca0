"""What every client of the lab can be asked, and how a program among them is run.

Knows no client's options: see clients.py.
"""

from __future__ import annotations

import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, TypeAlias

from .programs import SEARCH_PATH, program
from .users import ALICE, User

Mode: TypeAlias = Literal["passive", "active"]


class ClientError(Exception):
    """A client reported failure; the text is all that it printed."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a client goes, and as whom."""

    host: str
    port: int
    user: User = ALICE

    def url(self, path: str = "") -> str:
        """Return ftp://user:password@host:port/path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ftp://{self.user.name}:{self.user.password}@{host}:{self.port}/{path}"


@dataclass(frozen=True, slots=True)
class Client(ABC):
    """One real client in one mode. It raises ClientError when the client says it failed."""

    mode: Mode = "passive"
    netns: str | None = None  # for programs; ftplib lives in this process
    patience: float = 40.0  # longer than a proxy lets anybody wait for a turn

    @abstractmethod
    def list(self, target: Target) -> str:
        """Return the listing of the user's home as the client shows it."""

    @abstractmethod
    def get(self, target: Target, path: str) -> bytes:
        """Return the content of a file."""

    @abstractmethod
    def put(self, target: Target, path: str, content: bytes) -> None:
        """Store a file."""

    @classmethod
    def name(cls) -> str:
        """The name in tables."""
        return cls.__name__.lower()

    @classmethod
    @abstractmethod
    def version(cls) -> str:
        """The version in tables."""

    @property
    def passive(self) -> bool:
        """Whether the client connects its data connections itself."""
        return self.mode == "passive"

    def run(self, folder: Path, command: Sequence[str], text: str = "") -> str:
        """Run a program of this client in `folder`; return all it printed."""
        argv = [program(command[0]), *command[1:]]
        if self.netns:
            argv = [program("ip"), "netns", "exec", self.netns, *argv]
        surroundings = {"HOME": str(folder), "PATH": SEARCH_PATH, "LC_ALL": "C", "TERM": "dumb"}
        try:
            done = subprocess.run(
                argv,
                input=text.encode(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=surroundings,
                timeout=self.patience,
            )
        except subprocess.TimeoutExpired as error:
            raise ClientError(f"no end after {self.patience:g} s: {error.output!r}") from error
        printed = done.stdout.decode(errors="replace")
        if done.returncode != 0:
            raise ClientError(f"{command[0]} ended with {done.returncode}: {printed}")
        return printed


@contextmanager
def home() -> Iterator[Path]:
    """Lend an empty folder that is a program's home and working folder for one call."""
    with TemporaryDirectory(prefix="ftpweir-client-") as folder:
        yield Path(folder)


def fetched(path: Path) -> bytes:
    """Return what a client has fetched into a file; no file is a failure it did not report."""
    if not path.is_file():
        raise ClientError(f"said nothing, yet there is no {path.name}")
    return path.read_bytes()
