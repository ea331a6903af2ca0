"""Scripts that keep a proxy busy while somebody looks at it: threads of ftplib, until the end."""

from __future__ import annotations

import contextlib
import ftplib
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from .users import USERS, User

REST = 0.3  # seconds before a script that was refused comes back


@dataclass(frozen=True, slots=True)
class Habit:
    """What one script does, over and over: log in, fetch some files, leave."""

    source: str
    user: User
    path: str
    files: int = 10


@contextlib.contextmanager
def crowd(port: int, habits: list[Habit]) -> Iterator[None]:
    """Run a script for each habit while the block lasts."""
    is_over = threading.Event()
    threads = [threading.Thread(target=_run, args=(port, habit, is_over)) for habit in habits]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def many(count: int, path: str) -> list[Habit]:
    """Return so many scripts, of all users, from the networks 127.1 to 127.4."""
    return [
        Habit(f"127.{1 + at % 4}.1.{1 + at % 7}", USERS[at % len(USERS)], path)
        for at in range(count)
    ]


def _run(port: int, habit: Habit, is_over: threading.Event) -> None:
    while not is_over.is_set():
        # Whoever is refused or cut off comes back, as scripts do.
        with contextlib.suppress(*ftplib.all_errors), ftplib.FTP(timeout=30) as ftp:
            ftp.connect("127.0.0.1", port, source_address=(habit.source, 0))
            ftp.login(habit.user.name, habit.user.password)
            for _ in range(habit.files):
                if is_over.is_set():
                    return
                ftp.retrbinary(f"RETR {habit.path}", lambda data: None)
            continue
        is_over.wait(REST)
