"""One control connection, either side: bytes in, whole lines or replies out, in order.

Decides nothing. Its reader (ftp/lines.py or ftp/reply.py) knows the language; it knows the socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, Protocol, TypeVar

from .alarm import Alarm
from .fault import GONE_SILENT, Ended, Fault, Why
from .handshakes import HANDSHAKES
from .options import LINGER_ZERO, round_trip, tune_control
from .peer import peer_of
from .tls import Injected, TlsFault, TlsWire

T = TypeVar("T")
Item_co = TypeVar("Item_co", covariant=True)

# Who sends ahead is read no further than so many bytes: the rest waits in its own kernel.
MOST_AHEAD = 64 * 1024
EACH = 64  # bytes of memory that an item takes beside its own
# Seconds for which a reply may wait for the next one, to go out with it. On a busy machine 2 ms
# were too short for four of ten small files.
HELD = 0.01
UNREAD = 2.5  # seconds the other side has to read the last words


class Disturbed(Exception):
    """Something else happened that the one who waits should know; `problem` is what."""

    def __init__(self, problem: OSError) -> None:
        super().__init__(str(problem))
        self.problem = problem


class Reader(Protocol[Item_co]):
    """What turns bytes into items; raises ValueError when the bytes make no sense."""

    def feed(self, data: bytes) -> Sequence[Item_co]:
        """Return the items now complete."""
        ...

    @property
    def pending(self) -> bool:
        """Tell whether an item has begun and not ended."""
        ...


class Channel(asyncio.Protocol, Generic[T]):
    """A control connection that is read one item at a time.

    `on_open` hears that somebody is there; `watch`, while set, each arrival and the end at once.
    """

    def __init__(
        self, reader: Reader[T], on_open: Callable[[Channel[T]], None] | None = None
    ) -> None:
        self._reader = reader
        self._on_open = on_open
        self._transport: asyncio.Transport | None = None
        self._items: deque[T] = deque()
        self._ahead = 0  # bytes that they take; above MOST_AHEAD: we read nothing
        self._held = b""
        self._holding: asyncio.TimerHandle | None = None
        self._alarm = Alarm(self._ring)
        self._waiter: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self.watch: Callable[[], None] | None = None
        self.tls: TlsWire | None = None  # what protects this connection
        self.ended = False  # no item will follow those pending
        self.fault: Fault | None = None  # why it ended; None: the other side simply left
        self.peer = self.local = ("", 0)
        self.fileno = -1

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's are no asyncio.Transport
        on_open, self._on_open = self._on_open, None  # called once: it may refer to us
        if (peer := peer_of(transport)) is None:
            return
        sock: socket.socket = transport.get_extra_info("socket")
        self.peer = peer
        self.local = transport.get_extra_info("sockname")[:2]
        self.fileno = sock.fileno()
        tune_control(sock)
        if on_open is not None:
            on_open(self)

    def data_received(self, data: bytes) -> None:
        if self.tls is None:
            self._take_in(data)
        elif self.tls.is_open:
            self._take_in_tls(self.tls, data)
        elif not HANDSHAKES.go_on(self._loop, partial(self._shake_hands, self.tls, data)):
            assert self._transport is not None
            self._transport.pause_reading()

    def _take_in(self, data: bytes) -> None:
        try:
            items = self._reader.feed(data)
        except ValueError as nonsense:
            self.give_up(Fault(Why.NONSENSE, str(nonsense)))
            return
        self._ahead = len(data) + EACH * len(items) + (self._ahead if self._items else 0)
        if items:
            self._items.extend(items)
            if self._ahead > MOST_AHEAD:
                assert self._transport is not None
                self._transport.pause_reading()
            self._wake()

    def eof_received(self) -> bool:
        self._end()
        return True  # what was asked before the FIN is still answered

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None and self.fault is None:
            is_silent = isinstance(exc, TimeoutError)
            self.fault = GONE_SILENT if is_silent else Fault(Why.BROKEN, str(exc))
        self._end()
        self.resume_writing()
        self._alarm.stop()
        if self._holding is not None:
            self._holding.cancel()
        if not self._closed.done():
            self._closed.set_result(None)

    def pause_writing(self) -> None:
        self._room = self._loop.create_future()

    def resume_writing(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        self._room = None

    # What its one owner calls.

    async def next(self, patience: float | None = None) -> T:
        """Return the next item; raise Ended, or TimeoutError after `patience` seconds of none."""
        while not self._items:
            if self.ended:
                raise Ended(self.fault)
            await self._arrival(patience)
        return self.pop()

    def pop(self) -> T:
        """Return the next item, which is there; after the last one, read on."""
        item = self._items.popleft()
        if self._ahead > MOST_AHEAD and not self._items:
            self._ahead = 0
            assert self._transport is not None
            self._transport.resume_reading()
        return item

    @property
    def pending(self) -> deque[T]:
        """Items that have come and were not yet asked for."""
        return self._items

    @property
    def is_awaited(self) -> bool:
        """Tell whether somebody waits for the next item."""
        return self._waiter is not None and not self._waiter.done()

    def disturb(self, problem: OSError) -> None:
        """Raise Disturbed in whoever waits for the next item; the connection is untouched."""
        self._end_wait(Disturbed(problem))

    def write(self, data: bytes) -> None:
        """Send; nothing is raised when the other side is gone."""
        if self._held:
            data, self._held = self._held + data, b""
            if self._holding is not None:
                self._holding.cancel()
        if self.tls is not None:
            self.tls.write(data)
            data = self.tls.take_outgoing()
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def write_soon(self, data: bytes) -> None:
        """Send together with what follows, or after HELD seconds if nothing does."""
        if not self._held:
            self._holding = self._loop.call_later(HELD, self.flush)
        self._held += data

    def flush(self) -> None:
        """Send now what write_soon has held back."""
        if self._held:
            self.write(b"")

    @property
    def is_full(self) -> bool:
        """Tell whether the other side does not read what we send: then await `drain`."""
        return self._room is not None

    async def drain(self) -> None:
        """Wait until the other side has read most of what was sent."""
        if self._room is not None:
            await self._room

    def start_tls(self, wire: TlsWire, last_words: bytes = b"") -> None:
        """Say `last_words` in clear, and nothing more but in TLS; then await `secured`.

        Raise Injected when something has come already that TLS would seem to protect.
        """
        if self._items or self._reader.pending:
            raise Injected
        self.write(last_words)
        self.tls = wire
        wire.begin()
        self.write(b"")

    async def secured(self, patience: float) -> None:
        """Wait for the end of the handshake; raise Ended, or TimeoutError after `patience`."""
        assert self.tls is not None
        while not self.tls.is_open:
            if self.ended:
                raise Ended(self.fault)
            await self._arrival(patience)

    def close(self) -> None:
        """Send what is due, then FIN; what the other side does not read in time is dropped."""
        self._say_last_words()
        if self._transport is not None:
            if self._transport.get_write_buffer_size():
                self._loop.call_later(UNREAD, self.abort)
            self._transport.close()

    def give_up(self, fault: Fault) -> None:
        """Drop the connection now; what the other side said before still counts."""
        self.fault = fault
        self._end()
        self.abort()

    def abort(self) -> None:
        """Drop the connection now."""
        if self._transport is not None:
            self._transport.abort()

    def reset(self) -> None:
        """Drop the connection by RST: no TIME_WAIT is left on either side."""
        if self._transport is not None:
            sock: socket.socket = self._transport.get_extra_info("socket")
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
            self._transport.abort()

    @property
    def round_trip(self) -> float:
        """The shortest round trip that the kernel has seen, in seconds; 0.0: it does not tell."""
        if self._transport is None:
            return 0.0
        return round_trip(self._transport.get_extra_info("socket"))

    async def wait_ended(self, patience: float) -> bool:
        """Wait for the other side's FIN; False when it has not come after `patience` seconds."""
        with contextlib.suppress(TimeoutError, Ended):
            while not self.ended:
                await self.next(patience)
        return self.ended

    async def wait_closed(self, patience: float) -> bool:
        """Wait until the socket is gone; False when it is still there after `patience` seconds."""
        if not self._closed.done():
            await asyncio.wait({self._closed}, timeout=patience)
        return self._closed.done()

    def when_closed(self, call: Callable[[], None]) -> None:
        """Call once the socket is gone."""
        self._closed.add_done_callback(lambda _: call())

    def finish_writing(self) -> None:
        """Send FIN and go on reading."""
        self._say_last_words()
        if self._transport is not None and not self._transport.is_closing():
            with contextlib.suppress(OSError, RuntimeError):
                self._transport.write_eof()

    # Inside.

    def _shake_hands(self, wire: TlsWire, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
            self._take_in_tls(wire, data)

    def _take_in_tls(self, wire: TlsWire, data: bytes) -> None:
        if self.ended:
            return
        was_open = wire.is_open
        try:
            wire.feed(data)
            data = wire.read()
        except TlsFault as problem:
            self.fault = Fault(Why.TLS, str(problem))
            self._end()
            self.close()  # says why, in an alert that `abort` would drop
            return
        self.write(b"")  # what the handshake has to say
        if data:
            self._take_in(data)
        if wire.is_open and not was_open:
            self._wake()
        if wire.has_ended:
            self._end()

    def _say_last_words(self) -> None:
        self.flush()
        if self.tls is not None:
            self.tls.close()
            self.write(b"")

    def _arrival(self, patience: float | None) -> asyncio.Future[None]:
        """Return what resolves once something has come; a coroutine would cost as much again."""
        if patience is None:
            self._alarm.clear()
        else:
            self._alarm.set(patience)
        self._waiter = self._loop.create_future()
        return self._waiter

    def _ring(self) -> None:
        self._end_wait(TimeoutError())

    def _end_wait(self, problem: Exception) -> None:
        waiter, self._waiter = self._waiter, None  # kept, its exception would refer to us
        if waiter is not None and not waiter.done():
            waiter.set_exception(problem)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        if self.watch is not None:
            self.watch()

    def _end(self) -> None:
        if not self.ended:
            self.ended = True
            self._wake()
