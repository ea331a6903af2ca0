"""A data connection in TLS: to a relay it behaves like the plain socket that it wraps.

Never waits: what cannot be done now raises BlockingIOError, as with any non-blocking socket.
"""

from __future__ import annotations

import contextlib
import socket

from .tls import TlsWire

CHUNK = 1 << 16  # ciphertext read at once

_CIPHERTEXT = memoryview(bytearray(CHUNK))


class TlsSocket:
    """A connected, non-blocking socket and the wire that protects it. Closing is its owner's."""

    def __init__(self, sock: socket.socket, wire: TlsWire) -> None:
        self._sock = sock
        self._wire = wire
        self._unsent = memoryview(b"")  # ciphertext that the kernel would not take yet
        self._owed = 0  # bytes of plaintext that were encrypted, and not yet reported as sent
        self.was_cut = False  # it ended by FIN alone: nobody said that this was all
        wire.begin()

    @property
    def is_open(self) -> bool:
        """Tell whether the handshake is over."""
        return self._wire.is_open

    @property
    def said_goodbye(self) -> bool:
        """Tell whether the other side has said close_notify: what came is all there is."""
        return self._wire.has_ended

    @property
    def resumed(self) -> bool:
        """Tell whether the handshake resumed an earlier session."""
        return self._wire.resumed

    @property
    def has_unsent(self) -> bool:
        """Tell whether something waits for the kernel: then call `flush` when it takes more."""
        return bool(self._unsent)

    def fileno(self) -> int:
        """Return the socket's own descriptor."""
        return self._sock.fileno()

    def shake_hands(self) -> bool:
        """Go on with the handshake as far as possible now; True when it is over."""
        with contextlib.suppress(BlockingIOError):
            try:
                while not self._wire.is_open:
                    self.flush()
                    if not self._receive():
                        raise ConnectionResetError("hung up in the handshake")
            finally:
                self.flush()  # an alert tells the other side why
        return self._wire.is_open and not self._unsent

    def recv_into(self, buffer: memoryview) -> int:
        """Fill the buffer; 0 is the end, and `was_cut` tells whether nobody had announced it."""
        while not (count := self._wire.read_into(buffer)):
            if self._wire.has_ended:
                return 0
            if not self._receive():
                self.was_cut = True
                return 0
        return count

    def send(self, data: bytes | memoryview) -> int:
        """Send all of `data`; after a BlockingIOError call again with the very same bytes."""
        if not self._owed:
            self._wire.write(data)
            self._owed = len(data)
        if not self.flush():
            raise BlockingIOError
        sent, self._owed = self._owed, 0
        return sent

    def flush(self) -> bool:
        """Send what is due; True when the kernel has taken it all."""
        if more := self._wire.take_outgoing():
            self._unsent = memoryview(bytes(self._unsent) + more)
        try:
            while self._unsent:
                self._unsent = self._unsent[self._sock.send(self._unsent) :]
        except BlockingIOError:
            return False
        return True

    def say_goodbye(self) -> bool:
        """Say close_notify; True when the kernel has taken it, else `flush` later."""
        self._wire.close()
        return self.flush()

    def discard_unread(self) -> None:
        """Read what nobody wants, such as session tickets: unread, it would turn FIN into RST."""
        with contextlib.suppress(OSError):
            self._sock.recv_into(_CIPHERTEXT)

    def _receive(self) -> int:
        count = self._sock.recv_into(_CIPHERTEXT)
        if count:
            self._wire.feed(_CIPHERTEXT[:count])
            self.flush()
        return count
