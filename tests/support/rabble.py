"""Scripts that fetch, store and list for a while, whatever happens to them, and keep account.

Run as `python -m tests.support.rabble`, so that it can be started inside a namespace. An error only
means that the script begins anew; what counts is that whatever was said to be complete was right.
"""

from __future__ import annotations

import ftplib
import hashlib
import io
import json
import random
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from .apart import begun_apart, in_threads, take_orders


@dataclass
class Rabble:
    """What the scripts shall do, and afterwards what they were told."""

    host: str
    port: int
    user: str
    password: str
    scripts: int
    seconds: float
    files: dict[str, str]  # name on the server, SHA-256
    seed: int = 1
    fetched: int = 0
    listed: int = 0
    wrong: list[str] = field(default_factory=list)  # said to be complete, and was not
    stored: dict[str, str] = field(default_factory=dict)  # said to be complete: name, SHA-256
    errors: dict[str, int] = field(default_factory=dict)

    def start(self, prefix: list[str]) -> subprocess.Popen[str]:
        """Start in a process of its own, `prefix` in front of its command."""
        return begun_apart(self, prefix)

    @staticmethod
    def told(process: subprocess.Popen[str]) -> Rabble:
        """Wait for the end, and return the account."""
        assert process.stdout is not None
        with process.stdout as account:
            told = account.read()
        if process.wait():
            raise RuntimeError("the scripts failed")
        return Rabble(**json.loads(told))


def _script(rabble: Rabble, number: int, until: float) -> None:
    chance = random.Random(rabble.seed * 1000 + number)
    count = 0
    while time.monotonic() < until:
        try:
            with ftplib.FTP(timeout=20) as ftp:
                ftp.connect(rabble.host, rabble.port)
                ftp.login(rabble.user, rabble.password)
                while time.monotonic() < until:
                    count += 1
                    _deed(rabble, ftp, chance, f"up-{number}-{count}")
        except (ftplib.Error, OSError, EOFError) as error:
            kind = f"{type(error).__name__} {str(error)[:3]}"
            rabble.errors[kind] = rabble.errors.get(kind, 0) + 1
            time.sleep(0.1)


def _deed(rabble: Rabble, ftp: ftplib.FTP, chance: random.Random, name: str) -> None:
    match chance.choice(("fetch", "fetch", "store", "list")):
        case "fetch":
            wanted = chance.choice(list(rabble.files))
            digest = hashlib.sha256()
            ftp.retrbinary(f"RETR {wanted}", digest.update)
            if digest.hexdigest() == rabble.files[wanted]:
                rabble.fetched += 1
            else:
                rabble.wrong.append(wanted)
        case "store":
            content = chance.randbytes(chance.choice((0, 1000, 300_000)))
            ftp.storbinary(f"STOR {name}", io.BytesIO(content))
            rabble.stored[name] = hashlib.sha256(content).hexdigest()
        case _:
            names: list[str] = []
            ftp.retrlines("NLST", names.append)
            if not set(rabble.files) <= set(names):
                rabble.wrong.append("NLST")
            rabble.listed += 1


def run_here(rabble: Rabble) -> None:
    """Run the scripts as threads of this process."""
    until = time.monotonic() + rabble.seconds
    with suppress(KeyboardInterrupt):
        in_threads(partial(_script, rabble, number, until) for number in range(rabble.scripts))


if __name__ == "__main__":
    take_orders(Rabble, run_here)
