"""What TLS adds to the life of a data connection: a handshake before it, a goodbye behind it.

Both happen on the loop, without a task. Decides nothing: when they begin, the data end says.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

from .handshakes import HANDSHAKES
from .tls import TlsCut, TlsFault, TlsWire
from .tls_socket import TlsSocket

_UNWANTED = memoryview(bytearray(1))
UNREAD = 30.0  # seconds the other side has to read so much that our close_notify fits


class Secured:
    """TLS over one connected socket, from the handshake on.

    `over` resolves when the handshake is over, well or not; `fault` says why not.
    """

    def __init__(self, sock: socket.socket, wire: TlsWire) -> None:
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        self._parting: asyncio.TimerHandle | None = None
        self.stream = TlsSocket(sock, wire)
        self.over: asyncio.Future[None] = self._loop.create_future()
        self.fault: TlsFault | None = None
        # Flights of a handshake and a close_notify must not wait for an ACK that is delayed.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._ask()

    def say_goodbye(self) -> bool:
        """Say close_notify; True when it is on its way, or nobody is left to hear it."""
        if not self.stream.is_open:
            return True
        try:
            return self.stream.say_goodbye()
        except OSError:
            return True

    @contextlib.contextmanager
    def watching_end(self, call: Callable[[], None]) -> Iterator[None]:
        """Call once the other side ends, which is to send nothing."""
        self._loop.add_reader(self._sock, self._look_for_end, call)
        looking = self._loop.call_soon(self._look_for_end, call)  # it came with the handshake
        try:
            yield
        finally:
            looking.cancel()
            self._loop.remove_reader(self._sock)

    def part(self, leave: Callable[[], None]) -> None:
        """Say close_notify, then `leave`: later, if it does not fit into the kernel now."""
        self.let_go()
        is_said = self.say_goodbye()
        self.stream.discard_unread()
        if is_said:
            leave()
        else:
            self._loop.add_writer(self._sock, self._part_further, leave)
            self._parting = self._loop.call_later(UNREAD, self._part_now, leave)

    def let_go(self) -> None:
        """Do nothing more with the socket: it will be closed."""
        if not self.over.done():
            self.over.cancel()
            self._stop_watching()
        if self._parting is not None:
            self._parting.cancel()
            self._parting = None
            self._stop_watching()

    def _ask(self) -> None:
        """Something may be done for the handshake: do it when its turn comes."""
        if not HANDSHAKES.go_on(self._loop, self._shake_hands):
            self._stop_watching()

    def _shake_hands(self) -> None:
        if self.over.done():
            return
        try:
            is_over = self.stream.shake_hands()
        except TlsFault as fault:
            self.fault = TlsFault(f"TLS: {fault}")
        except ConnectionError as problem:
            self.fault = TlsCut(f"TLS: {problem.strerror or problem}")
        except OSError as problem:
            self.fault = TlsFault(f"TLS: {problem.strerror or problem}")
        else:
            if not is_over:
                self._loop.add_reader(self._sock, self._ask)
                if self.stream.has_unsent:
                    self._loop.add_writer(self._sock, self._ask)
                else:
                    self._loop.remove_writer(self._sock)
                return
        self._stop_watching()
        self.over.set_result(None)

    def _look_for_end(self, call: Callable[[], None]) -> None:
        try:
            is_over = not self.stream.recv_into(_UNWANTED)
        except BlockingIOError:
            return  # a session ticket
        except OSError:
            is_over = True
        if is_over:
            self._loop.remove_reader(self._sock)
            call()

    def _part_further(self, leave: Callable[[], None]) -> None:
        if self.say_goodbye():
            self._part_now(leave)

    def _part_now(self, leave: Callable[[], None]) -> None:
        self.let_go()
        with contextlib.suppress(OSError):
            leave()

    def _stop_watching(self) -> None:
        self._loop.remove_reader(self._sock)
        self._loop.remove_writer(self._sock)
