"""TLS with the server: how its control connection is protected, and how long its certificate lasts.

One context for all, because a data connection can resume only a session of its own context.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from proxy.events import Announce, CertificateExpires
from proxy.net.fault import Ended
from proxy.net.server_channel import ServerChannel
from proxy.net.tls import Injected, TlsWire
from proxy.net.trust import Shown, TrustFiles, trust_context

WARN_BEFORE = 30  # days
WARN_EVERY = 86400.0  # seconds
DAY = 86400.0


class NoTls(Exception):
    """The server and we do not agree on TLS; the text says why."""


class ServerTls:
    """What every session with one server has in common; raise BadCertificate when built."""

    def __init__(
        self,
        files: TrustFiles,
        *,
        name: str,
        is_implicit: bool,
        announce: Announce,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.files = files
        self.name = name  # what the certificate must be for
        self.is_implicit = is_implicit  # from the first byte on
        self.shown: Shown | None = None  # the server's certificate, once seen
        self._context = trust_context(files)
        self._announce = announce
        self._wall = wall
        self._warned_at: float | None = None

    def begin(self, channel: ServerChannel) -> None:
        """Begin the handshake; raise NoTls when the server has said more than it may."""
        try:
            channel.start_tls(TlsWire(self._context, is_server=False, server_name=self.name))
        except Injected:
            raise NoTls("it said something in clear behind its answer to AUTH") from None

    async def agreed(self, channel: ServerChannel, patience: float) -> None:
        """Wait until hands are shaken; raise NoTls."""
        try:
            await channel.secured(patience)
        except TimeoutError:
            raise NoTls(f"no handshake within {patience:g} s") from None
        except Ended as end:
            words = end.fault.words if end.fault is not None else "it hung up in the handshake"
            raise NoTls(words) from None
        assert channel.tls is not None
        certificate = channel.tls.peer_certificate
        self.shown = Shown.of(certificate) if certificate is not None else None
        self._look_at_the_calendar()

    def _look_at_the_calendar(self) -> None:
        """Warn in time, and once a day."""
        now = self._wall()
        if self.shown is None or self.shown.expires_at - now > WARN_BEFORE * DAY:
            return
        if self._warned_at is None or now - self._warned_at >= WARN_EVERY:
            self._warned_at = now
            days = int((self.shown.expires_at - now) // DAY)
            self._announce(CertificateExpires(self.name, self.shown.subject, days))
