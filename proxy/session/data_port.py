"""Where one client's next data connection goes: a port lent to it, or an address it told us."""

from __future__ import annotations

from proxy.ftp.address import Endpoint
from proxy.net.data import AcceptingEnd, ConnectingEnd, DataEnd
from proxy.net.listener import Listener, ListenerPool
from proxy.refusals import Reason

from .declined import Declined


class DataPort:
    """Holds at most one of both; the latest PASV or PORT counts (RFC 959 section 4.1.2)."""

    def __init__(self, ports: ListenerPool, client: str, local: str) -> None:
        self._ports = ports
        self._client = client
        self._local = local
        self._listener: Listener | None = None
        self._accepting: AcceptingEnd | None = None
        self._active: Endpoint | None = None

    @property
    def is_set(self) -> bool:
        """Tell whether a transfer could start."""
        return self._listener is not None or self._active is not None

    def listen(self) -> int:
        """Borrow a listening port and return its number; raise Declined when none is left."""
        self.drop()
        listener = self._listener = self._ports.lend(self._local, self._client)
        if listener is None:
            raise Declined(Reason.PASSIVE_PORTS, used=self._ports.lent, limit=self._ports.size)
        return listener.port

    def point_at(self, endpoint: Endpoint) -> None:
        """Remember where the client listens."""
        self.drop()
        self._active = endpoint

    def open(self) -> DataEnd:
        """Begin to open the client's data connection."""
        if self._listener is not None:
            self._accepting = AcceptingEnd(self._listener, self._client)
            return self._accepting
        assert self._active is not None
        # RFC 1123 section 4.1.2.12: from the address of the control connection.
        return ConnectingEnd(self._active.host, self._active.port, self._local)

    def drop(self) -> None:
        """Forget both; a connection that waits at the port gets a FIN."""
        self._active = None
        if self._listener is not None:
            listener, self._listener = self._listener, None
            accepting, self._accepting = self._accepting, None
            self._ports.give_back(listener, used=accepting is not None and accepting.was_opened)
