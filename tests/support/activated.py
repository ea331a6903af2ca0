"""ftpweir with a listening socket that is not its own: it stays open while ftpweir restarts."""

from __future__ import annotations

import socket

from .namespaces import inside
from .proxy import Ftpweir

# The number of the process is only known once it runs, and exec keeps it (sd_listen_fds(3)).
HAND_OVER = 'exec 3<&"$1"; shift; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"'


class Activated(Ftpweir):
    """Started as systemd starts it with ftpweir.socket."""

    _socket: socket.socket | None = None

    def start(self) -> None:
        """Listen in its place, then start it."""

        def listen() -> socket.socket:
            return socket.create_server((self.host, self.port), backlog=4096)

        self._socket = inside(self._netns, listen) if self._netns else listen()
        self.port = self._socket.getsockname()[1]
        super().start()

    def stop(self, within: float = 15.0) -> None:
        """End it, and nobody listens any more."""
        super().stop(within)
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def command(self) -> list[str]:
        """Hand the socket over as the descriptor that it expects."""
        (number,) = self.handed_over
        return ["bash", "-c", HAND_OVER, "activated", str(number), *super().command()]

    @property
    def handed_over(self) -> tuple[int, ...]:
        """The listening socket."""
        assert self._socket is not None
        return (self._socket.fileno(),)
