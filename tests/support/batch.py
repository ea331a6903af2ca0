"""Scripts in a process of their own: many ftplib clients at once, fetching files and telling how
it went. Run as `python -m tests.support.batch`, so that it can be started inside a namespace.
"""

from __future__ import annotations

import ftplib
import hashlib
import io
import math
import time
from dataclasses import dataclass, field
from functools import partial

from .apart import done_apart, in_threads, take_orders


@dataclass
class Batch:
    """What the scripts shall do, and afterwards what happened."""

    host: str
    port: int
    user: str
    password: str
    scripts: int
    files: int  # all scripts together
    name: str = "file.bin"
    source: str = ""  # the local address, where it matters
    last_start: float = math.inf  # Unix time after which no file is begun
    errors: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)  # the different SHA-256 seen
    finished: list[float] = field(default_factory=list)  # Unix time of each file's end

    def run(self, prefix: list[str] | None = None, patience: float = 300.0) -> Batch:
        """Run in a process of its own, `prefix` in front of its command; return the outcome."""
        return done_apart(self, prefix or [], patience)


def run_here(batch: Batch) -> None:
    """Run the scripts as threads of this process; all log in before the first file."""
    share = [batch.files // batch.scripts] * batch.scripts
    for extra in range(batch.files % batch.scripts):
        share[extra] += 1
    in_threads(partial(_script, batch, files) for files in share)
    batch.digests = sorted(set(batch.digests))


def _script(batch: Batch, files: int) -> None:
    try:
        source = (batch.source, 0) if batch.source else None
        with ftplib.FTP(timeout=120, source_address=source) as ftp:
            ftp.connect(batch.host, batch.port)
            ftp.login(batch.user, batch.password)
            for _ in range(files):
                if time.time() > batch.last_start:
                    break
                content = io.BytesIO()
                ftp.retrbinary(f"RETR {batch.name}", content.write)
                batch.digests.append(hashlib.sha256(content.getvalue()).hexdigest())
                batch.finished.append(time.time())
            ftp.quit()
    except (ftplib.Error, OSError, EOFError) as error:
        batch.errors.append(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    take_orders(Batch, run_here)
