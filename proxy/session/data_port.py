"""Where one client's next data connection goes: a port lent to it, or an address it told us."""

from __future__ import annotations

from collections.abc import Callable

from proxy.ftp.address import Endpoint, extended_passive_reply, passive_reply
from proxy.ftp.reply import Reply
from proxy.net.custom import Custom
from proxy.net.data import AcceptingEnd, ConnectingEnd, DataEnd
from proxy.net.listener import Listener, ListenerPool
from proxy.net.tls import TlsWire
from proxy.refusals import Declined, Reason


class DataPort:
    """Holds at most one of both; the latest PASV or PORT counts (RFC 959 section 4.1.2).

    `new_wire` is asked for each data connection what is to protect it; None: nothing.
    """

    def __init__(
        self,
        ports: ListenerPool,
        client: str,
        local: str,
        new_wire: Callable[[], TlsWire | None] = lambda: None,
    ) -> None:
        self._ports = ports
        self._client = client
        self._local = local
        self._new_wire = new_wire
        self.goodbyes = Custom()
        self._listener: Listener | None = None
        self._accepting: AcceptingEnd | None = None
        self._active: Endpoint | None = None

    @property
    def is_set(self) -> bool:
        """Tell whether a transfer could start."""
        return self._listener is not None or self._active is not None

    def offer(self, told: str, *, extended: bool) -> Reply:
        """Borrow a listening port and tell it, at the address `told`; raise Declined."""
        port = self.listen()
        return extended_passive_reply(port) if extended else passive_reply(Endpoint(told, port))

    def listen(self) -> int:
        """Borrow a listening port and return its number; raise Declined when none is left."""
        self.drop()
        try:
            listener = self._listener = self._ports.lend(self._local, self._client)
        except OSError as problem:
            raise Declined.for_want_of_data(Reason.PASSIVE_PORTS, problem) from None
        if listener is None:
            used = self._ports.busy(self._local)
            raise Declined(Reason.PASSIVE_PORTS, used=used, limit=self._ports.size)
        if (wire := self._new_wire()) is not None:
            # aioftp says nothing before the handshake is over (docs/CLIENTS.md): begin at once.
            self._accepting = AcceptingEnd(listener, self._client, wire)
        return listener.port

    def point_at(self, endpoint: Endpoint) -> None:
        """Remember where the client listens."""
        self.drop()
        self._active = endpoint

    def open(self) -> DataEnd:
        """Begin to open the client's data connection; whoever calls this ends it."""
        wire = self._new_wire()
        if self._listener is None:
            assert self._active is not None
            # RFC 1123 section 4.1.2.12: from the address of the control connection.
            return ConnectingEnd(self._active.host, self._active.port, self._local, wire)
        if self._accepting is not None and self._accepting.is_protected != (wire is not None):
            self._accepting.reset()  # PROT has changed since the PASV
            self._accepting = None
        if self._accepting is None:
            self._accepting = AcceptingEnd(self._listener, self._client, wire)
        return self._accepting

    def drop(self) -> None:
        """Forget both; a connection that waits at the port gets a FIN."""
        self._active = None
        if self._listener is not None:
            listener, self._listener = self._listener, None
            accepting, self._accepting = self._accepting, None
            if accepting is not None:
                accepting.finish()  # unless whoever opened it has already ended it
            self._ports.give_back(listener, used=accepting is not None and accepting.was_opened)
