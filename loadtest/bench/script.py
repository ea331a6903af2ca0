"""One script of the benchmark: as few steps in Python as a file can be had with.

Blocking sockets, every byte compared. It connects for data to the address of its control
connection, as most clients do: a 227 that came through a TCP proxy tells the server's own address.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Callable
from typing import Final

BLOCK: Final = 1 << 20
PATIENCE: Final = 30  # seconds for one answer or one block
_TIMEOUT = struct.pack("ll", PATIENCE, 0)


class Failed(Exception):
    """A file did not come or did not go as it should."""


class Cut(Exception):
    """The time is over in the middle of a file; nobody is to blame."""


class Script:
    """One control connection, logged in."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._control = _connect(address)
        self._replies = b""
        self._expect(b"220")
        self._protect()
        self._ask(b"USER ftp", b"331")
        self._ask(b"PASS bench@", b"230")
        self._ask(b"TYPE I", b"200")
        self._buffer = bytearray(BLOCK)

    def ping(self) -> None:
        """Ask for nothing, and hear the answer."""
        self._ask(b"NOOP", b"200")

    def leave(self) -> None:
        """Say goodbye and hang up."""
        self._ask(b"QUIT", b"221")
        self._control.close()

    def fetch(self, path: str, content: bytes) -> None:
        """Fetch a small file that must be `content`."""
        data = self._open(b"RETR %b\r\n" % path.encode())
        come = 0
        while count := data.recv_into(memoryview(self._buffer)[come:]):
            come += count
        data.close()
        self._finish(path)
        if self._buffer[:come] != content:
            raise Failed(f"RETR {path}: wrong bytes, yet 226")

    def store(self, path: str, content: bytes) -> None:
        """Store a small file."""
        data = self._open(b"STOR %b\r\n" % path.encode())
        data.sendall(content)
        self._end(data)
        self._finish(path)

    def fetch_blocks(self, path: str, block: bytes, moved: Callable[[int], None]) -> None:
        """Fetch a file of whole blocks, each of which must be `block`; `moved` may raise Cut."""
        with self._open(b"RETR %b\r\n" % path.encode()) as data:
            buffer = self._buffer
            while count := self._fill(data):
                if count != BLOCK or buffer != block:
                    raise Failed(f"RETR {path}: wrong bytes or a block of {count}")
                moved(BLOCK)
        self._finish(path)

    def store_blocks(self, path: str, source: int, size: int, moved: Callable[[int], None]) -> None:
        """Store what a descriptor holds; `moved` may raise Cut."""
        with self._open(b"STOR %b\r\n" % path.encode()) as data:
            offset = 0
            while offset < size:
                count = self._send(data, source, offset)
                offset += count
                moved(count)
            self._end(data)
        self._finish(path)

    # What differs in TLS.

    def _protect(self) -> None:
        """Say before the login how to go on: in clear."""

    def _open(self, command: bytes) -> socket.socket:
        """Open a data connection and say what for."""
        numbers = self._ask(b"PASV", b"227").partition(b"(")[2].partition(b")")[0].split(b",")
        data = _connect((self._address[0], int(numbers[4]) * 256 + int(numbers[5])))
        self._control.sendall(command)
        return data

    def _fill(self, data: socket.socket) -> int:
        """Fill the buffer with the next block; return its size."""
        return data.recv_into(self._buffer, BLOCK, socket.MSG_WAITALL)

    def _send(self, data: socket.socket, source: int, offset: int) -> int:
        """Send of what a descriptor holds from there; return how much."""
        return os.sendfile(data.fileno(), source, offset, BLOCK)

    def _end(self, data: socket.socket) -> None:
        """All is sent."""
        data.close()

    # Replies.

    def _finish(self, path: str) -> None:
        reply = self._reply()
        if reply[:1] == b"1":
            reply = self._reply()
        if reply[:3] != b"226":
            raise Failed(f"{path}: {reply.decode('ascii', 'replace')}")

    def _ask(self, line: bytes, code: bytes) -> bytes:
        self._control.sendall(line + b"\r\n")
        return self._expect(code)

    def _expect(self, code: bytes) -> bytes:
        reply = self._reply()
        if reply[:3] != code:
            raise Failed(reply.decode("ascii", "replace"))
        return reply

    def _reply(self) -> bytes:
        """Return the next reply; no server of the benchmark speaks in several lines."""
        while b"\r\n" not in self._replies:
            more = self._control.recv(4096)
            if not more:
                raise Failed("the control connection is closed")
            self._replies += more
        reply, _, self._replies = self._replies.partition(b"\r\n")
        return reply


def patiently(connect: Callable[[], Script], within: float = 20.0) -> Script:
    """Log in as soon as somebody lets us; raise Failed."""
    deadline = time.monotonic() + within
    while True:
        try:
            return connect()
        except (Failed, OSError) as problem:
            if time.monotonic() > deadline:
                raise Failed(f"no login: {problem}") from problem
        time.sleep(0.05)


def _connect(address: tuple[str, int]) -> socket.socket:
    sock = socket.socket()
    # The kernel's own timeouts: those of Python cost a poll for every call.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _TIMEOUT)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _TIMEOUT)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.connect(address)
    return sock
