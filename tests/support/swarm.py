"""Many ftplib scripts at once in a process of their own, each logged in from first to last.

Each has its own directory and its own TYPE, set once, and puts and gets files that nobody else has.
Run as `python -m tests.support.swarm`; reads its wishes as JSON and tells what happened as JSON.
"""

from __future__ import annotations

import ftplib
import threading
import time
from dataclasses import dataclass, field
from functools import partial

from .apart import done_apart, in_threads, take_orders

PATIENCE = 60.0  # of one script for one reply: longer than the proxy lets anybody wait


@dataclass
class Swarm:
    """What the scripts shall do, and afterwards what happened."""

    host: str
    port: int
    users: list[tuple[str, str]]  # name and password, given out in turn
    scripts: int
    rounds: int
    failures: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)  # each 4xx and 5xx that any script heard
    succeeded: int = 0
    seconds: float = 0.0  # from the last login to the last file

    def run(self, patience: float = 240.0) -> Swarm:
        """Run in a process of its own and return the outcome."""
        return done_apart(self, [], patience)

    def user(self, script: int) -> str:
        """Return the login name of a script."""
        return self.users[script % len(self.users)][0]


def folder(script: int) -> str:
    """Return the directory of a script, below its user's home."""
    return f"script-{script}"


def is_binary(script: int) -> bool:
    """Tell whether the script works in TYPE I rather than A."""
    return script % 2 == 0


def content(script: int, turn: int) -> bytes:
    """Return what this script puts in this turn, as it goes over the wire."""
    if is_binary(script):
        # All that a wrong TYPE would change: bare LF, CR LF, and bytes that are no text.
        return f"{script} {turn}".encode() + b"\n\r\n\r\0\xff\xf2" * (200 + script)
    return b"".join(f"line {n} of {script} in turn {turn}\r\n".encode() for n in range(40))


class Script(ftplib.FTP):
    """An ftplib client that remembers every refusal it hears."""

    def __init__(self, swarm: Swarm) -> None:
        super().__init__(timeout=PATIENCE)
        self._swarm = swarm

    def getmultiline(self) -> str:
        reply: str = super().getmultiline()
        if reply[:1] in "45":
            self._swarm.refusals.append(reply)
        return reply

    def store(self, name: str, data: bytes) -> None:
        """STOR in the TYPE that is set."""
        with self.transfercmd(f"STOR {name}") as sock:
            sock.sendall(data)
        self.voidresp()

    def fetch(self, name: str) -> bytes:
        """RETR in the TYPE that is set."""
        pieces = []
        with self.transfercmd(f"RETR {name}") as sock:
            while piece := sock.recv(1 << 16):
                pieces.append(piece)
        self.voidresp()
        return b"".join(pieces)


def run_here(swarm: Swarm) -> None:
    """Run the scripts as threads of this process; nobody transfers or leaves before the others."""
    everybody = threading.Barrier(swarm.scripts, timeout=200)
    in_threads(partial(_script, swarm, number, everybody) for number in range(swarm.scripts))


def _script(swarm: Swarm, number: int, everybody: threading.Barrier) -> None:
    try:
        with Script(swarm) as ftp:
            ftp.connect(swarm.host, swarm.port)
            ftp.login(*swarm.users[number % len(swarm.users)])
            ftp.cwd(folder(number))
            ftp.voidcmd("TYPE I" if is_binary(number) else "TYPE A")
            everybody.wait()
            started = time.monotonic()
            for turn in range(swarm.rounds):
                _turn(ftp, number, turn)
            swarm.seconds = max(swarm.seconds, time.monotonic() - started)
            everybody.wait()
            if not ftp.pwd().endswith(f"/{folder(number)}"):
                raise ValueError(f"ended in {ftp.pwd()}")
            ftp.quit()
        swarm.succeeded += 1
    except Exception as error:  # whatever it is, it is this script's failure
        everybody.abort()
        swarm.failures.append(f"{number}: {type(error).__name__}: {error}")


def _turn(ftp: Script, number: int, turn: int) -> None:
    data = content(number, turn)
    ftp.store(f"file-{turn}", data)
    got = ftp.fetch(f"file-{turn}")
    if got != data:
        raise ValueError(f"file-{turn} came back as {got[:80]!r}, not {data[:80]!r}")


if __name__ == "__main__":
    take_orders(Swarm, run_here)
