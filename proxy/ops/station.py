"""Where the operator looks from: hears every event, and serves the status page while it is open.

Built before the proxy's parts, which announce to it; opened once they stand. One of several workers
has no page of its own: the desk that shows all of them looks in by a hatch.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import AsyncIterator

from proxy.config import Address, Config
from proxy.events import Announce, StatusUnavailable
from proxy.net.doors import CannotListen, listening_at

from .herald import Herald
from .lookout import Lookout
from .metrics.tally import Tally
from .page.hatch import Hatch
from .pulse import Pulse
from .recent import Recent
from .watched import Watched


class Station:
    """Keeps what is worth knowing of every event."""

    def __init__(self, herald: Herald, hatch: Hatch | None = None) -> None:
        self._announce = herald
        self._hatch = hatch
        self.tally = Tally()
        self.tally.counters["events_missed"] = herald.missed
        self.recent = Recent(time.time)
        herald.add("counters", self.tally)
        herald.add("recent", self.recent)

    @contextlib.asynccontextmanager
    async def opened(self, watched: Watched) -> AsyncIterator[str | None]:
        """Serve while the block lasts; tell where. Raise CannotListen for an address asked for."""
        if (hatch := self._hatch) is not None:
            async with self._serving(hatch.sock, watched, hatch.token, obeys=False):
                yield None
            return
        sock = status_socket(watched.config, self._announce)
        if sock is None:
            yield None
            return
        status = watched.config.status
        token = status.token if status is not None else None
        with sock:
            async with self._serving(sock, watched, token, obeys=True):
                yield str(Address(*sock.getsockname()[:2]))

    @contextlib.asynccontextmanager
    async def _serving(
        self, sock: socket.socket, watched: Watched, token: str | None, *, obeys: bool
    ) -> AsyncIterator[None]:
        # Half a second to import: not for `ftpweir check`, nor for who wants no status page.
        from .metrics.exposition import Metrics
        from .page.admin import Admin
        from .page.orders import Orders
        from .page.view import Here

        lookout = Lookout(watched, self.recent, time.monotonic, started=time.time())
        pulse = Pulse(lambda: watched.servers, self.tally, time.time)
        view = Here(lookout, Metrics(self.tally, lookout), pulse)
        admin = Admin(view, Orders(watched, self._announce) if obeys else None, token=token)
        pulse.start()
        try:
            await admin.open(sock)
            yield
        finally:
            pulse.stop()
            await admin.close()


def status_socket(config: Config, announce: Announce) -> socket.socket | None:
    """Listen at `status`; None if its default address cannot be had. Raise CannotListen for one
    that was asked for."""
    assert config.status is not None
    try:
        return listening_at(config.status.address)
    except CannotListen as problem:
        if "status" in config.model_fields_set:
            raise
        # Nobody's work depends on a default address.
        announce(StatusUnavailable(str(problem)))
        return None
