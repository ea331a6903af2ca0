"""Many ftplib scripts that go on through restarts: after a 421 they connect again and ask again.

A transfer counts as started once the server has said 150. One that was started and does not end
with 226 and every byte is cut; anything but a 421 before that is a failure of the script.
Run as `python -m tests.support.untiring`; reads its wishes as JSON and tells what happened as JSON.
"""

from __future__ import annotations

import ftplib
import threading
import time
from dataclasses import dataclass, field

from .apart import done_apart, in_threads, take_orders

PATIENCE = 60.0  # of one script for one reply
PAUSE = 0.1  # seconds before a script that was turned away comes back


@dataclass
class Untiring:
    """What the scripts shall do, and afterwards what happened."""

    host: str
    port: int
    user: str
    password: str
    scripts: int
    files: int  # of each script
    size: int  # of the file that they all fetch
    completed: int = 0
    turned_away: int = 0
    cut: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def run(self, prefix: list[str], patience: float = 240.0) -> Untiring:
        """Run in a process of its own, `prefix` in front of its command; return the outcome."""
        return done_apart(self, prefix, patience)


class Script:
    """One of them."""

    def __init__(self, wishes: Untiring, lock: threading.Lock) -> None:
        self._wishes = wishes
        self._lock = lock
        self._ftp: ftplib.FTP | None = None

    def run(self) -> None:
        """Fetch the file as often as asked."""
        for _ in range(self._wishes.files):
            if not self._fetched():
                return
        if self._ftp is not None:
            self._ftp.quit()

    def _fetched(self) -> bool:
        while True:
            try:
                ftp = self._ftp = self._ftp or self._logged_in()
                data = ftp.transfercmd("RETR file.bin")
            except (ftplib.error_temp, EOFError) as problem:
                if not isinstance(problem, EOFError) and not str(problem).startswith("421"):
                    return self._failed(self._wishes.failures, problem)
                self._come_back()
            except Exception as problem:
                return self._failed(self._wishes.failures, problem)
            else:
                break
        got = 0
        try:
            with data:
                while more := data.recv(1 << 16):
                    got += len(more)
            reply = ftp.voidresp()
        except Exception as problem:
            return self._failed(self._wishes.cut, problem)
        if not reply.startswith("226") or got != self._wishes.size:
            return self._failed(self._wishes.cut, f"{got} bytes, {reply}")
        with self._lock:
            self._wishes.completed += 1
        return True

    def _logged_in(self) -> ftplib.FTP:
        ftp = ftplib.FTP(timeout=PATIENCE)
        ftp.connect(self._wishes.host, self._wishes.port)
        ftp.login(self._wishes.user, self._wishes.password)
        ftp.voidcmd("TYPE I")
        return ftp

    def _come_back(self) -> None:
        if self._ftp is not None:
            self._ftp.close()
            self._ftp = None
        with self._lock:
            self._wishes.turned_away += 1
        time.sleep(PAUSE)

    def _failed(self, where: list[str], problem: object) -> bool:
        with self._lock:
            where.append(f"{type(problem).__name__}: {problem}")
        return False


def run_here(untiring: Untiring) -> None:
    """Run the scripts as threads of this process."""
    lock = threading.Lock()
    in_threads(Script(untiring, lock).run for _ in range(untiring.scripts))


if __name__ == "__main__":
    take_orders(Untiring, run_here)
