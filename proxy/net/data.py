"""Data connections, either side: raw non-blocking sockets, accepted or connected on the loop, in
TLS where a wire for it is given.

Raw, because splice, QUICKACK, linger and the peer check need the socket itself. Decides nothing:
who may have a connection, and how it ends, is told by its owner.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TypeAlias

from proxy.refusals import NO_DESCRIPTOR

from .listener import Listener
from .options import LINGER_ZERO, lacks, mark, was_reset
from .secured import Secured
from .tls import TlsFault, TlsWire
from .tls_socket import TlsSocket

Stream: TypeAlias = socket.socket | TlsSocket

UNWATCHED = 0.02  # seconds for which a connection may be under way without the loop's watching it
AGAIN = 0.02  # seconds until somebody who found no descriptor looks for one again


class DataEnd:
    """One side's data connection: being opened, open, gone. Its owner ends it exactly once.

    `opened` resolves once `sock` is connected to the right peer, or fails with OSError. With a
    `wire` the handshake begins in the same moment: some clients wait for its end before they say
    what the connection is for (docs/CLIENTS.md, TLS).
    """

    def __init__(self, wire: TlsWire | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._wire = wire
        self._secured: Secured | None = None
        self._lacking: OSError | None = None  # a descriptor, when last asked for
        self._was_reset = False
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

    @property
    def is_protected(self) -> bool:
        """Tell whether it speaks TLS, or will."""
        return self._wire is not None

    @property
    def goodbye(self) -> bool | None:
        """Tell of one that has ended whether it said close_notify first; None: there is no TLS."""
        return None if self._secured is None else not self._secured.stream.was_cut

    @property
    def resumed(self) -> bool | None:
        """Tell whether its TLS resumed an earlier session; None: no TLS was agreed on."""
        if self._secured is None or not self._secured.stream.is_open:
            return None
        return self._secured.stream.resumed

    def finish(self) -> None:
        """End in peace: FIN, after everything sent (or a plain close when nothing was opened)."""
        if not self.opened.done():
            self._stop_opening()
        sock, self.sock = self.sock, None
        if sock is not None:
            self._part(sock.close)

    def reset(self) -> None:
        """End by RST, so that nobody takes a part for the whole (docs/CLIENTS.md, Ends)."""
        if not self.opened.done():
            self._stop_opening()
        sock, self.sock = self.sock, None
        if sock is not None:
            if self._secured is not None:
                self._secured.let_go()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
            sock.close()

    def finish_writing(self) -> None:
        """Send FIN and keep the socket; raise OSError where the other side has reset it."""
        assert self.sock is not None
        self._part(partial(self.sock.shutdown, socket.SHUT_WR))

    def look(self) -> None:
        """Take note of a connection that has come about since; else the loop tells of it."""

    def say_goodbye(self) -> None:
        """Say close_notify where there is TLS, and end nothing yet."""
        if self._secured is not None:
            self._secured.say_goodbye()

    async def wait(self, patience: float) -> Stream:
        """Return the open connection, its handshake over; raise OSError, TimeoutError among them.

        Each of the two steps may take `patience` seconds.
        """
        self.look()
        if not self.opened.done():
            await asyncio.wait({self.opened}, timeout=patience)
            if not self.opened.done():
                raise self._lacking or TimeoutError(f"none within {patience:g} s")
        self.opened.result()
        assert self.sock is not None
        return self.sock if self._secured is None else await _agreed(self._secured, patience)

    def watching_end(self, call: Callable[[], None]) -> AbstractContextManager[None]:
        """Call once the other side ends, by FIN or RST; it is to send nothing."""
        return (
            self._watching_fin(call) if self._secured is None else self._secured.watching_end(call)
        )

    @property
    def lacks(self) -> bool:
        """Tell whether the other side has not acknowledged all that was sent, FIN included."""
        assert self.sock is not None
        return lacks(self.sock)

    @property
    def may_lack(self) -> bool:
        """Tell whether it may lack some: what it acknowledged before a reset, too."""
        assert self.sock is not None
        self._was_reset = self._was_reset or was_reset(self.sock)
        return self._was_reset or self.lacks

    def mark(self, dscp: int) -> None:
        """Tell routers the class of what is sent on it."""
        assert self.sock is not None
        mark(self.sock, dscp)

    def _has_opened(self) -> None:
        self.opened.set_result(None)
        if self._wire is not None:
            assert self.sock is not None
            self._secured = Secured(self.sock, self._wire)

    def _part(self, leave: Callable[[], None]) -> None:
        if self._secured is None:
            leave()
        else:
            self._secured.part(leave)

    def _stop_opening(self) -> None:
        self.opened.cancel()

    @contextmanager
    def _watching_fin(self, call: Callable[[], None]) -> Iterator[None]:
        assert self.sock is not None
        sock = self.sock

        def look() -> None:
            try:
                is_over = not sock.recv(1)
            except BlockingIOError:
                return  # nothing was there after all
            except OSError:
                is_over = self._was_reset = True
            self._loop.remove_reader(sock)
            if is_over:
                call()

        self._loop.add_reader(sock, look)
        try:
            yield
        finally:
            self._loop.remove_reader(sock)


async def _agreed(secured: Secured, patience: float) -> TlsSocket:
    if not secured.over.done():
        await asyncio.wait({secured.over}, timeout=patience)
    if secured.fault is not None:
        raise secured.fault
    if not secured.over.done():
        raise TlsFault(f"TLS: no end of the handshake within {patience:g} s")
    return secured.stream


class ConnectingEnd(DataEnd):
    """We connect: to a server's passive port, or to a client's active one.

    The loop watches only what takes long: most connections stand before anybody asks, and to be
    told of it costs as much as to make them (nine system calls of uvloop's). While no descriptor is
    left it waits for one: transfers end all the time.
    """

    def __init__(
        self, host: str, port: int, source: str | None, wire: TlsWire | None = None
    ) -> None:
        super().__init__(wire)
        self._host, self._port, self._source = host, port, source
        self._later: asyncio.TimerHandle | None = None
        self._is_watched = False
        self._begin()

    def _begin(self) -> None:
        try:
            error = self._ask()
        except OSError as problem:
            if problem.errno in NO_DESCRIPTOR:
                self._lacking = problem
                self._later = self._loop.call_later(AGAIN, self._begin)
            else:
                self.opened.set_exception(problem)
            return
        if error == errno.EINPROGRESS and self._wire is not None:
            self._watch()  # a handshake begins in the first moment it can
        elif error == errno.EINPROGRESS:
            self._later = self._loop.call_later(UNWATCHED, self._watch)
        else:
            self._settle(error)

    def _ask(self) -> int:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self._lacking = None
        if self._source is not None:
            # RFC 1123 section 4.1.2.12: from the control connection's own address.
            if hasattr(socket, "IP_BIND_ADDRESS_NO_PORT"):
                # Let connect choose the port: bind alone would search for a wholly free one.
                self.sock.setsockopt(socket.IPPROTO_IP, socket.IP_BIND_ADDRESS_NO_PORT, 1)
            self.sock.bind((self._source, 0))
        return self.sock.connect_ex((self._host, self._port))

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
            self._has_opened()

    def _stop_opening(self) -> None:
        self._unwatch()
        super()._stop_opening()


class AcceptingEnd(DataEnd):
    """We accept: a client's passive connection, or a server's active one.

    Anybody else's connection is closed without harm to the right one (RFC 2577 section 4).
    """

    def __init__(self, listener: Listener, peer: str, wire: TlsWire | None = None) -> None:
        super().__init__(wire)
        self._listener = listener
        self._peer = peer
        self._later: asyncio.TimerHandle | None = None
        self._watching = False
        self._look()

    def _look(self) -> None:
        if self._accept():
            self._unwatch()
        elif self._lacking is not None:
            self._unwatch()  # the loop would tell of it again and again
            self._later = self._loop.call_later(AGAIN, self._look)
        elif not self._watching:
            self._watching = True
            self._loop.add_reader(self._listener.sock, self._look)

    def _accept(self) -> bool:
        self._lacking = None
        while True:
            try:
                sock, address = self._listener.sock.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return False
            except OSError as problem:
                if problem.errno in NO_DESCRIPTOR:
                    self._lacking = problem
                    return False  # it waits; others, who are being refused, give theirs back
                self.opened.set_exception(problem)
                return True
            host = address[0].removeprefix("::ffff:")
            if host != self._peer:
                sock.close()
                continue
            sock.setblocking(False)
            self.sock = sock
            self._has_opened()
            return True

    def _unwatch(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._watching:
            self._watching = False
            self._loop.remove_reader(self._listener.sock)

    def _stop_opening(self) -> None:
        self._unwatch()
        super()._stop_opening()
