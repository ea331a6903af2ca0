"""Scripts that do a bit of everything for a while: downloads, uploads, listings, ABOR, and crashes.

Run as `python -m tests.support.mixture`, so that they can be started inside a namespace; reads its
wishes as JSON and tells what happened as JSON.
"""

from __future__ import annotations

import ftplib
import io
import random
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .apart import done_apart, in_threads, take_orders

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close() sends RST
PATIENCE = 60.0


@dataclass
class Mixture:
    """What the scripts shall do, and afterwards what happened."""

    host: str
    port: int
    user: str
    password: str
    scripts: int
    seconds: float
    small: str  # a file that is fetched whole
    large: str  # a file that is begun and broken off
    seed: int = 1
    done: dict[str, int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)  # 425, or 426 once its 150 was sent
    errors: list[str] = field(default_factory=list)

    def run(self, prefix: list[str]) -> Mixture:
        """Run in a process of its own and return the outcome."""
        return done_apart(self, prefix, self.seconds + 2 * PATIENCE)


class Script:
    """One script; after a crash it comes back as a new one would."""

    def __init__(self, mixture: Mixture, number: int) -> None:
        self._mixture = mixture
        self._number = number
        self._chance = random.Random(mixture.seed * 1000 + number)
        self._ftp: ftplib.FTP | None = None
        self._uploads = 0

    def run(self) -> None:
        """Go on until the time is over."""
        deeds: dict[str, tuple[int, Callable[[ftplib.FTP], None]]] = {
            "download": (50, self._download),
            "upload": (20, self._upload),
            "listing": (18, self._list),
            "abort": (7, self._abort),
            "crash": (5, self._crash),
        }
        weights = [weight for weight, _ in deeds.values()]
        end = time.monotonic() + self._mixture.seconds
        try:
            while time.monotonic() < end:
                name = self._chance.choices(list(deeds), weights)[0]
                try:
                    deeds[name][1](self._session())
                    self._mixture.done[name] = self._mixture.done.get(name, 0) + 1
                except (ftplib.error_temp, ConnectionResetError) as refusal:
                    self._mixture.refused.append(f"{name}: {self._words(refusal)}")
            self._session().quit()
        except (ftplib.Error, OSError, EOFError) as error:
            self._mixture.errors.append(f"{name}: {type(error).__name__}: {error}")

    def _session(self) -> ftplib.FTP:
        if self._ftp is None:
            self._ftp = ftplib.FTP(timeout=PATIENCE)
            self._ftp.connect(self._mixture.host, self._mixture.port)
            self._ftp.login(self._mixture.user, self._mixture.password)
        return self._ftp

    def _words(self, refusal: Exception) -> str:
        """Return what a transfer was told that could not be; anything else goes on its way."""
        words = str(refusal)
        if isinstance(refusal, ConnectionResetError):
            words = self._session().getmultiline()  # its 426 comes after the reset
        if not words.startswith(("425", "426")):
            raise refusal
        return words

    def _download(self, ftp: ftplib.FTP) -> None:
        ftp.retrbinary(f"RETR {self._mixture.small}", lambda data: None)

    def _upload(self, ftp: ftplib.FTP) -> None:
        # A new name each time: vsftpd keeps its lock on the file of an upload that never came.
        self._uploads += 1
        ftp.storbinary(f"STOR up-{self._number}-{self._uploads}.bin", io.BytesIO(b"x" * 2000))

    def _list(self, ftp: ftplib.FTP) -> None:
        ftp.retrlines("LIST", lambda line: None)

    def _abort(self, ftp: ftplib.FTP) -> None:
        data = self._begin(ftp)
        assert ftp.sock is not None
        ftp.sock.sendall(b"ABOR\r\n")
        data.close()
        for _ in range(2):  # the transfer's end, and ABOR's own answer
            ftp.getmultiline()

    def _crash(self, ftp: ftplib.FTP) -> None:
        data = self._begin(ftp)
        assert ftp.sock is not None
        for sock in (data, ftp.sock):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        data.close()
        ftp.close()
        self._ftp = None

    def _begin(self, ftp: ftplib.FTP) -> socket.socket:
        ftp.voidcmd("TYPE I")
        data = ftp.transfercmd(f"RETR {self._mixture.large}")
        data.recv(1 << 16)
        return data


def run_here(mixture: Mixture) -> None:
    """Run the scripts as threads of this process."""
    in_threads(Script(mixture, number).run for number in range(mixture.scripts))


if __name__ == "__main__":
    take_orders(Mixture, run_here)
