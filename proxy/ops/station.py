"""Where the operator looks from: hears every event, and serves the status page while it is open.

Built before the proxy's parts, which announce to it; opened once they stand.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import AsyncIterator

from proxy.config import Address
from proxy.events import Announce, Event, StatusUnavailable
from proxy.net.doors import CannotListen, listening_at

from .lookout import Lookout, Watched
from .pulse import Pulse
from .recent import Recent
from .tally import Tally


class Station:
    """Passes every event on, and keeps what is worth knowing of it."""

    def __init__(self, announce: Announce) -> None:
        self._announce = announce
        self.tally = Tally()
        self.recent = Recent(time.time)

    def __call__(self, event: Event) -> None:
        """Hear one deed."""
        self._announce(event)
        self.tally(event)
        self.recent(event)

    @contextlib.asynccontextmanager
    async def opened(self, watched: Watched) -> AsyncIterator[str | None]:
        """Serve while the block lasts; tell where. Raise CannotListen for an address asked for."""
        config = watched.config
        status = config.status
        assert status is not None
        try:
            sock = listening_at(status.address)
        except CannotListen as problem:
            if "status" in config.model_fields_set:
                raise
            # Nobody's work depends on a default address.
            self._announce(StatusUnavailable(str(problem)))
            yield None
            return
        with sock:
            async with self._serving(sock, watched, status.token):
                yield str(Address(*sock.getsockname()[:2]))

    @contextlib.asynccontextmanager
    async def _serving(
        self, sock: socket.socket, watched: Watched, token: str | None
    ) -> AsyncIterator[None]:
        # Half a second to import: not for `ftpweir check`, nor for who wants no status page.
        from .admin import Admin
        from .metrics import Metrics
        from .orders import Orders

        lookout = Lookout(watched, self.recent, time.monotonic, started=time.time())
        pulse = Pulse(watched.gate, watched.egresses, self.tally, time.time)
        orders = Orders(watched, self)
        admin = Admin(lookout, Metrics(self.tally, lookout), pulse, orders, token=token)
        pulse.start()
        try:
            await admin.open(sock)
            yield
        finally:
            pulse.stop()
            await admin.close()
