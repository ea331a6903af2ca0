"""A client that deserts: at a step drawn by lot it is gone, or says ABOR and goodbye.

Speaks over blocking sockets, in whoever's thread. Judges only what no desertion excuses: a wrong
reply before it, and a file that was called whole and is not.
"""

from __future__ import annotations

import contextlib
import ftplib
import random
import socket
from collections import Counter
from collections.abc import Generator, Iterator
from typing import TextIO

from .backend import RESET
from .users import User

PATIENCE = 30.0
STEPS = 18  # of the longest visit
WAYS = ("reset", "fin", "half", "abort", "abort")
SYNC = "200 Noted."  # the proxy's answer to CLNT, unlike any other


class Deserted(Exception):
    """It has left; the word is how."""


class Deserter:
    """One client that comes again and again. `told` counts how its visits ended."""

    def __init__(self, place: tuple[str, int], user: User, content: bytes, seed: int) -> None:
        self.told: Counter[str] = Counter()
        self.faults: list[str] = []
        self._place = place
        self._user = user
        self._content = content
        self._lot = random.Random(seed)
        self._name = f"put-by-{seed}"

    def visit(self) -> None:
        """Come once, and leave at a step drawn by lot, or at the end."""
        leave_at, how = self._lot.randrange(STEPS), self._lot.choice(WAYS)
        try:
            with (
                socket.create_connection(self._place, PATIENCE) as control,
                control.makefile("r", encoding="latin-1", newline="\r\n") as replies,
                contextlib.closing(self._steps(control, replies)) as steps,
            ):
                for step, _ in enumerate(steps):
                    if step == leave_at:
                        _desert(control, replies, how)
            self.told["stayed"] += 1
        except Deserted as deserted:
            self.told[str(deserted)] += 1
        except (OSError, ftplib.Error) as error:
            self.faults.append(f"{how} at {leave_at}: {type(error).__name__}: {error}")

    def _steps(self, control: socket.socket, replies: TextIO) -> Generator[None, None, None]:
        """Do one visit; every yield is a step at which it may desert."""
        _hear(replies, "220")
        for line, code in (
            (f"USER {self._user.name}", "331"),
            (f"PASS {self._user.password}", "230"),
            (f"CWD {self._lot.choice('ab')}", "250"),
            (f"TYPE {self._lot.choice('AI')}", "200"),
        ):
            yield
            _say(control, line)
            yield  # asked, and not yet answered
            _hear(replies, code)
        yield from self._transfer(control, replies)
        _say(control, "QUIT")
        _hear(replies, "221")

    def _transfer(self, control: socket.socket, replies: TextIO) -> Iterator[None]:
        kind = self._lot.choice(["get", "put", "list"])
        _say(control, "TYPE I", "PASV")
        _hear(replies, "200")
        host, port = ftplib.parse227(_hear(replies, "227").strip())
        yield
        with socket.create_connection((host, port), PATIENCE) as data:
            yield
            offset = self._lot.choice([0, 1000]) if kind == "get" else 0
            if offset:
                _say(control, f"REST {offset}")
                _hear(replies, "350")
            verbs = {"get": "RETR file.bin", "put": f"STOR {self._name}", "list": "LIST"}
            _say(control, verbs[kind])
            yield
            _hear(replies, "1")  # 125 or 150
            yield
            if kind == "put":
                yield from self._send(data)
            else:
                received = yield from _receive(data)
                if kind == "get" and received != self._content[offset:]:
                    self.faults.append(f"RETR from {offset} gave {len(received)} other bytes")
        _hear(replies, "226")
        yield

    def _send(self, data: socket.socket) -> Iterator[None]:
        half = len(self._content) // 2
        data.sendall(self._content[:half])
        yield
        data.sendall(self._content[half:])
        data.shutdown(socket.SHUT_WR)
        yield


def _receive(data: socket.socket) -> Generator[None, None, bytes]:
    pieces = [data.recv(1000)]
    yield
    while piece := data.recv(1 << 16):
        pieces.append(piece)
    yield
    return b"".join(pieces)


def _desert(control: socket.socket, replies: TextIO, how: str) -> None:
    match how:
        case "abort":
            _say(control, "ABOR", "CLNT deserter")
            while not (line := str(replies.readline())).startswith(SYNC):
                if not line or line.startswith("421"):
                    raise ftplib.error_reply(f"to ABOR came {line!r}")
            _say(control, "QUIT")
            _hear(replies, "221")
        case "half":
            control.shutdown(socket.SHUT_WR)
        case "reset":
            control.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        case _:
            pass  # what closes the socket sends FIN
    raise Deserted(how)


def _say(control: socket.socket, *lines: str) -> None:
    control.sendall("".join(f"{line}\r\n" for line in lines).encode())


def _hear(replies: TextIO, code: str) -> str:
    line = str(replies.readline())
    while line[3:4] == "-":
        line = str(replies.readline())
    if not line.startswith(code):
        raise ftplib.error_reply(f"{line!r} instead of {code}")
    return line
