"""Scripts that fetch many different files and compare each with what it should be, or store them.

Run as `python -m tests.support.harvest`, so that it can be started inside a namespace. A file that
fails is counted and not asked for again; the script goes on with a new session.
"""

from __future__ import annotations

import ftplib
import hashlib
import queue
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from .apart import done_apart, in_threads, take_orders


@dataclass
class Harvest:
    """The files, with the SHA-256 of each, and afterwards what became of them."""

    host: str
    port: int
    user: str
    password: str
    scripts: int
    files: list[tuple[str, str]]  # name, SHA-256
    folder: str = ""  # not empty: the files are stored, from there; who asked compares them
    silence: float = 60.0  # seconds after which a script gives up who does not answer
    whole: int = 0
    wrong: list[str] = field(default_factory=list)  # said to be complete, and was not
    failed: list[str] = field(default_factory=list)

    def run(self, prefix: list[str], patience: float = 600.0) -> Harvest:
        """Run in a process of its own, `prefix` in front of its command; return the outcome."""
        return done_apart(self, prefix, patience)


def run_here(harvest: Harvest) -> None:
    """Let the scripts, threads of this process, share the files out."""
    left: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
    for file in harvest.files:
        left.put(file)
    in_threads([partial(_script, harvest, left)] * harvest.scripts)


def _script(harvest: Harvest, left: queue.SimpleQueue[tuple[str, str]]) -> None:
    ftp: ftplib.FTP | None = None
    with suppress(queue.Empty):
        while True:
            name, expected = left.get_nowait()
            try:
                if ftp is None:
                    ftp = ftplib.FTP(timeout=harvest.silence)
                    ftp.connect(harvest.host, harvest.port)
                    ftp.login(harvest.user, harvest.password)
                is_right = _fetch_or_store(harvest, ftp, name, expected)
            except (ftplib.Error, OSError, EOFError) as error:
                harvest.failed.append(f"{name}: {type(error).__name__}: {error}")
                if ftp is not None:
                    ftp.close()
                ftp = None
                continue
            if is_right:
                harvest.whole += 1
            else:
                harvest.wrong.append(name)
    if ftp is not None:
        with suppress(ftplib.Error, OSError, EOFError):
            ftp.quit()


def _fetch_or_store(harvest: Harvest, ftp: ftplib.FTP, name: str, expected: str) -> bool:
    """Return whether what came is right; of what was stored nothing is known yet."""
    if harvest.folder:
        with (Path(harvest.folder) / name).open("rb") as content:
            ftp.storbinary(f"STOR {name}", content)
        return True
    digest = hashlib.sha256()
    ftp.retrbinary(f"RETR {name}", digest.update)
    return digest.hexdigest() == expected


if __name__ == "__main__":
    take_orders(Harvest, run_here)
