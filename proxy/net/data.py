"""Data connections, either side: raw non-blocking sockets, accepted or connected on the loop.

Raw, because splice, QUICKACK, linger and the peer check need the socket itself. Decides nothing:
who may have a connection, and how it ends, is told by its owner.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket

from .control import LINGER_ZERO
from .listener import Listener

UNWATCHED = 0.02  # seconds for which a connection may be under way without the loop's watching it


class DataEnd:
    """One side's data connection: being opened, open, gone. Its owner ends it exactly once.

    `opened` resolves once `sock` is connected to the right peer, or fails with OSError.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = self._loop.create_future()
        self.sock: socket.socket | None = None

    @property
    def was_opened(self) -> bool:
        """Tell whether the connection came about, even if it has ended since."""
        opened = self.opened
        return opened.done() and not opened.cancelled() and opened.exception() is None

    @property
    def has_failed(self) -> bool:
        """Tell whether opening it met an error (and not just silence)."""
        opened = self.opened
        return opened.done() and not opened.cancelled() and opened.exception() is not None

    def finish(self) -> None:
        """End in peace: FIN, after everything sent (or a plain close when nothing was opened)."""
        self._stop_opening()
        if self.sock is not None:
            self.sock.close()
            self.sock = None

    def reset(self) -> None:
        """End by RST, so that nobody takes a part for the whole (protocol.md statement 8)."""
        if self.sock is not None:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        self.finish()

    def finish_writing(self) -> None:
        """Send FIN and keep the socket."""
        assert self.sock is not None
        self.sock.shutdown(socket.SHUT_WR)

    def look(self) -> None:
        """Take note of a connection that has come about since; else the loop tells of it."""

    async def wait(self, patience: float) -> socket.socket:
        """Return the open socket; raise OSError, TimeoutError among them."""
        self.look()
        if not self.opened.done():
            await asyncio.wait({self.opened}, timeout=patience)
            if not self.opened.done():
                raise TimeoutError(f"none within {patience:g} s")
        self.opened.result()
        assert self.sock is not None
        return self.sock

    def _stop_opening(self) -> None:
        if not self.opened.done():
            self.opened.cancel()


class ConnectingEnd(DataEnd):
    """We connect: to a server's passive port, or to a client's active one.

    The loop watches only what takes long: most connections stand before anybody asks, and to be
    told of it costs as much as to make them (nine system calls of uvloop's).
    """

    def __init__(self, host: str, port: int, source: str | None) -> None:
        super().__init__()
        self._later: asyncio.TimerHandle | None = None
        self._is_watched = False
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self.sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            if source is not None:
                # RFC 1123 section 4.1.2.12: from the control connection's own address.
                if hasattr(socket, "IP_BIND_ADDRESS_NO_PORT"):
                    # Let connect choose the port: bind alone would search for a wholly free one.
                    self.sock.setsockopt(socket.IPPROTO_IP, socket.IP_BIND_ADDRESS_NO_PORT, 1)
                self.sock.bind((source, 0))
            error = self.sock.connect_ex((host, port))
        except OSError as problem:
            self.opened.set_exception(problem)
            return
        if error == errno.EINPROGRESS:
            self._later = self._loop.call_later(UNWATCHED, self._watch)
        else:
            self._settle(error)

    def look(self) -> None:
        """Take note of it if the connection stands."""
        if not self.opened.done() and self.sock is not None:
            try:
                self.sock.getpeername()
            except OSError:
                self._watch()  # not yet, or never: the loop will tell
            else:
                self._unwatch()
                self._settle(0)

    def _watch(self) -> None:
        if not self._is_watched:
            assert self.sock is not None
            self._unwatch()
            self._is_watched = True
            self._loop.add_writer(self.sock, self._connected)

    def _unwatch(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._is_watched:
            assert self.sock is not None
            self._is_watched = False
            self._loop.remove_writer(self.sock)

    def _connected(self) -> None:
        assert self.sock is not None
        self._unwatch()
        self._settle(self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def _settle(self, error: int) -> None:
        if error:
            self.opened.set_exception(OSError(error, os.strerror(error)))
        else:
            self.opened.set_result(None)

    def _stop_opening(self) -> None:
        self._unwatch()
        super()._stop_opening()


class AcceptingEnd(DataEnd):
    """We accept: a client's passive connection, or a server's active one.

    Anybody else's connection is closed without harm to the right one (RFC 2577 section 4).
    """

    def __init__(self, listener: Listener, peer: str) -> None:
        super().__init__()
        self._listener = listener
        self._peer = peer
        if not self._accept():
            self._loop.add_reader(listener.sock, self._readable)
            self._watching = True
        else:
            self._watching = False

    def _readable(self) -> None:
        if self._accept():
            self._unwatch()

    def _accept(self) -> bool:
        while True:
            try:
                sock, address = self._listener.sock.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return False
            except OSError as problem:
                self.opened.set_exception(problem)
                return True
            host = address[0].removeprefix("::ffff:")
            if host != self._peer:
                sock.close()
                continue
            sock.setblocking(False)
            self.sock = sock
            self.opened.set_result(None)
            return True

    def _unwatch(self) -> None:
        if self._watching:
            self._watching = False
            self._loop.remove_reader(self._listener.sock)

    def _stop_opening(self) -> None:
        self._unwatch()
        super()._stop_opening()


def acknowledge(sock: socket.socket) -> None:
    """Acknowledge the FIN just read at once: vsftpd sends its 226 only then (measured: 40 ms)."""
    if hasattr(socket, "TCP_QUICKACK"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def mark(sock: socket.socket, dscp: int) -> None:
    """Tell routers the class of what we send on it (RFC 2474); a refusal is no reason to stop."""
    # The two lowest bits are ECN's, which TCP keeps for itself.
    with contextlib.suppress(OSError):
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, dscp << 2)
        else:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)
