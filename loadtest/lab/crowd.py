"""Ordinary scripts, many at once: each logs in, fetches its files one after another, and leaves.

They run in a process of their own (`python -m loadtest.lab.crowd`, the wishes as JSON on standard
input), so that they can stand in a namespace; it prints a line for each thing that happens.
"""

from __future__ import annotations

import ftplib
import hashlib
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

PAUSE = 0.5  # seconds before a refused script tries again


class Deed(StrEnum):
    """What happens to a script."""

    FILE = "file"  # fetched, and every byte is right
    REFUSED = "refused"  # the server would not have it (421)
    SILENCE = "silence"  # no answer within its patience: what a ban looks like from outside
    BROKEN = "broken"  # anything else that is not a good file
    DONE = "done"  # all its files are there


@dataclass(frozen=True, slots=True)
class Wishes:
    """What every script of the crowd shall do."""

    host: str
    port: int
    user: str
    password: str
    scripts: int
    files: int  # of each script
    name: str
    digest: str  # SHA-256 that every copy must have
    patience: float = 5.0  # for one answer, in seconds
    tries: int = 3  # logins that a refused script attempts in all


@dataclass(slots=True)
class Outcome:
    """What happened."""

    deeds: Counter[Deed] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)  # of refusals and failures
    moments: list[float] = field(default_factory=list)  # Unix time of each good file
    given_up: Counter[Deed] = field(default_factory=Counter)  # why, for scripts that did
    seconds: float = 0.0

    @property
    def is_perfect(self) -> bool:
        """Tell whether nothing at all went wrong."""
        return set(self.deeds) <= {Deed.FILE, Deed.DONE} and not self.given_up


def send(
    wishes: Wishes, prefix: list[str] | None = None, watch: Callable[[Outcome], None] | None = None
) -> Outcome:
    """Send the crowd, `prefix` in front of its command; `watch` sees each change."""
    outcome = Outcome()
    started = time.monotonic()
    with subprocess.Popen(
        [*(prefix or []), sys.executable, "-m", "loadtest.lab.crowd"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(asdict(wishes)))
        process.stdin.close()
        for line in process.stdout:
            note(outcome, json.loads(line))
            if watch is not None:
                watch(outcome)
    if process.returncode:
        raise RuntimeError(f"the scripts could not run (exit code {process.returncode})")
    outcome.seconds = time.monotonic() - started
    return outcome


def note(outcome: Outcome, told: dict[str, Any]) -> None:
    """Add one thing that a script has told."""
    deed = Deed(told["deed"])
    outcome.deeds[deed] += 1
    if words := told.get("words"):
        outcome.words[words] += 1
    if deed is Deed.FILE:
        outcome.moments.append(float(told["at"]))
    if told.get("gives up"):
        outcome.given_up[deed] += 1


class Script:
    """One of them."""

    def __init__(self, wishes: Wishes, tell: Callable[[Deed, str, bool], None]) -> None:
        self._wishes = wishes
        self._tell = tell

    def run(self) -> None:
        """Do everything; never raise."""
        tries = self._wishes.tries
        for attempt in range(1, tries + 1):
            try:
                with ftplib.FTP(timeout=self._wishes.patience) as ftp:
                    for _ in self._files(ftp):
                        self._tell(Deed.FILE, "", False)
                self._tell(Deed.DONE, "", False)
                return
            except (ftplib.Error, OSError, EOFError, ValueError) as error:
                deed = meaning(error)
                gives_up = attempt == tries or deed is not Deed.REFUSED
                self._tell(deed, str(error) or type(error).__name__, gives_up)
                if gives_up:
                    return
            time.sleep(PAUSE)

    def _files(self, ftp: ftplib.FTP) -> Iterator[None]:
        wishes = self._wishes
        ftp.connect(wishes.host, wishes.port)
        ftp.login(wishes.user, wishes.password)
        for _ in range(wishes.files):
            digest = hashlib.sha256()
            ftp.retrbinary(f"RETR {wishes.name}", digest.update)
            if digest.hexdigest() != wishes.digest:
                raise ValueError("the file is not what it should be")
            yield
        ftp.quit()


def meaning(error: Exception) -> Deed:
    """Tell what an error says about who is to blame."""
    if isinstance(error, TimeoutError):
        return Deed.SILENCE
    if isinstance(error, ftplib.error_temp) and str(error).startswith("421"):
        return Deed.REFUSED
    return Deed.BROKEN


def main() -> None:
    """Run the crowd of this process."""
    wishes = Wishes(**json.load(sys.stdin))
    one_at_a_time = threading.Lock()

    def tell(deed: Deed, words: str, gives_up: bool) -> None:
        told = {"deed": deed, "words": words, "gives up": gives_up, "at": time.time()}
        with one_at_a_time:
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()

    scripts = [threading.Thread(target=Script(wishes, tell).run) for _ in range(wishes.scripts)]
    for script in scripts:
        script.start()
    for script in scripts:
        script.join()


if __name__ == "__main__":
    main()
