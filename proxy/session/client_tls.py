"""TLS with one client: the handshake on its control connection, wires for its data connections."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.ftp.protection import NO_TLS, Protection, TlsTerms
from proxy.net.certificate import Certificate
from proxy.net.client_channel import ClientChannel
from proxy.net.fault import Ended
from proxy.net.tls import Injected, TlsWire


@dataclass(frozen=True, slots=True)
class TlsOffer:
    """What the listener that a client came through offers."""

    terms: TlsTerms = NO_TLS
    certificate: Certificate | None = None  # there is one where TLS is offered


NOTHING = TlsOffer()


class TlsFailed(Exception):
    """There is no TLS, and nothing goes on without it; the text is the word for the log."""


class ClientTls:
    """TLS with one client."""

    def __init__(
        self, offer: TlsOffer, client: ClientChannel, protection: Protection, patience: float
    ) -> None:
        self._offer = offer
        self._client = client
        self._protection = protection
        self._patience = patience
        if offer.terms.is_implicit:
            client.start_tls(self._wire())  # before the first byte is read

    @property
    def version(self) -> str:
        """The protocol on the control connection; empty: it is in clear."""
        return self._client.tls.version if self._client.tls is not None else ""

    async def start(self, last_words: bytes) -> None:
        """Shake hands, behind `last_words` in clear; raise TlsFailed."""
        try:
            self._client.start_tls(self._wire(), last_words)
        except Injected:
            raise TlsFailed("commands came in clear behind AUTH") from None
        await self.started()

    async def started(self) -> None:
        """Wait until hands are shaken; raise TlsFailed."""
        try:
            await self._client.secured(self._patience)
        except TimeoutError:
            raise TlsFailed(f"no handshake within {self._patience:g} s") from None
        except Ended as end:
            raise TlsFailed(str(end) or "hung up in the handshake") from None

    def data_wire(self) -> TlsWire | None:
        """Return what protects the next data connection; None: nothing is to protect it."""
        control = self._client.tls
        if control is None or not self._protection.covers_data:
            return None
        return control.sibling()

    def _wire(self) -> TlsWire:
        assert self._offer.certificate is not None  # the dialogue refuses AUTH otherwise
        return TlsWire(self._offer.certificate.context, is_server=True)
