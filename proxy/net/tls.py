"""TLS without a socket: ciphertext in, plaintext out, and the other way round.

Knows no socket, so that a control channel and a data connection can both carry it, and shows what
asyncio's own TLS hides: the session to resume (RFC 4217 section 10.2) and the other side's goodbye.
"""

from __future__ import annotations

import contextlib
import ssl

RECORD = 1 << 14  # the most plaintext in one record (RFC 8446 section 5.1)

# What OpenSSL says of what came, in words that fit into a reply and tell what to look at.
_FAULTS = {
    "WRONG_VERSION_NUMBER": "it speaks in clear where TLS is expected",
    "HTTP_REQUEST": "it speaks HTTP where TLS is expected",
    "UNSUPPORTED_PROTOCOL": "no version of TLS in common",
    "TLSV1_ALERT_PROTOCOL_VERSION": "no version of TLS in common",
    "TLSV1_ALERT_UNKNOWN_CA": "it does not know who issued our certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "it says that our certificate has expired",
    "SSLV3_ALERT_BAD_CERTIFICATE": "it does not accept our certificate",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "it does not accept our certificate",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "it wants a certificate from us",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "it shows no certificate",
}
_VERDICTS = {  # by OpenSSL's number
    9: "its certificate is not valid yet",
    10: "its certificate has expired",
    18: "its certificate is signed by itself",
    19: "its certificate comes from an unknown issuer",
    20: "its certificate comes from an unknown issuer",
    62: "its certificate is not for {name}",
    64: "its certificate is not for {name}",
}


class Injected(Exception):
    """Bytes came in clear where only the first of a TLS handshake may come (CVE-2011-0411)."""


class TlsFault(OSError):
    """The other side does not speak TLS as agreed; the text says what was wrong, for people."""


class TlsCut(TlsFault):
    """The connection was lost in the handshake, which says nothing of TLS."""


class TlsWire:
    """One TLS connection. Whatever `take_outgoing` returns after a call must be sent."""

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        is_server: bool,
        server_name: str | None = None,
        session: ssl.SSLSession | None = None,
    ) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self.context = context
        self._is_server = is_server
        self._server_name = server_name
        self._tls = context.wrap_bio(
            self._incoming,
            self._outgoing,
            server_side=is_server,
            server_hostname=server_name,
            session=session,
        )
        self._session: ssl.SSLSession | None = None
        self.is_open = False  # the handshake is over
        self.has_ended = False  # the other side has said close_notify: it sends no more
        self.has_closed = False  # we have said it

    @property
    def version(self) -> str:
        """The protocol agreed on, such as TLSv1.3; empty before the handshake is over."""
        return (self._tls.version() or "") if self.is_open else ""

    @property
    def resumed(self) -> bool:
        """Tell whether the handshake resumed an earlier session."""
        return bool(self._tls.session_reused)

    @property
    def peer_certificate(self) -> bytes | None:
        """The other side's certificate (DER), if it has shown one."""
        return self._tls.getpeercert(binary_form=True)

    def sibling(self) -> TlsWire:
        """Return the wire for a data connection between the same two: it resumes our session.

        A server keeps its sessions itself. A client's is asked for now: with TLS 1.3 its ticket
        came after the handshake.
        """
        session = None if self._is_server else self._resumable()
        tickets = self.context.num_tickets
        if self._is_server:
            # A client that uploads and does not read ours would end by RST, and lose what is still
            # on its way (lftp with TLS 1.3, measured). New connections take the number over.
            self.context.num_tickets = 0
        try:
            return TlsWire(
                self.context,
                is_server=self._is_server,
                server_name=self._server_name,
                session=session,
            )
        finally:
            if self._is_server:
                self.context.num_tickets = tickets

    def _resumable(self) -> ssl.SSLSession | None:
        """Return our session, kept once there is one to resume: each asking costs 0.1 ms."""
        if self._session is None:
            session = self._tls.session
            if session is None or not (session.has_ticket or self.version == "TLSv1.2"):
                return session
            self._session = session
        return self._session

    def begin(self) -> None:
        """Say the first word of the handshake, where it is ours to say."""
        self._shake_hands()

    def feed(self, ciphertext: bytes | memoryview) -> None:
        """Take what came; raise TlsFault when the handshake fails over it."""
        self._incoming.write(ciphertext)
        if not self.is_open:
            self._shake_hands()

    def read_into(self, buffer: memoryview) -> int:
        """Decrypt as much as has come and fits; 0 when there is none. Raise TlsFault."""
        count = 0
        try:
            while count < len(buffer) and self.is_open and not self.has_ended:
                got: int = self._tls.read(len(buffer) - count, buffer[count:])  # type: ignore[assignment]
                self.has_ended = not got
                count += got
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.has_ended = True
        except ssl.SSLError as problem:
            raise TlsFault(_words(problem)) from None
        return count

    def read(self) -> bytes:
        """Decrypt all that has come."""
        parts = bytearray()
        buffer = memoryview(bytearray(RECORD))
        while count := self.read_into(buffer):
            parts += buffer[:count]
        return bytes(parts)

    def write(self, plaintext: bytes | memoryview) -> None:
        """Encrypt; before the handshake is over, and behind our goodbye, nothing is said."""
        if plaintext and self.is_open and not self.has_closed:
            self._tls.write(plaintext)

    def close(self) -> None:
        """Say close_notify: what was sent so far is all there is."""
        if self.is_open and not self.has_closed:
            self.has_closed = True
            # Once said it is said: the other side has not answered yet, and need not.
            with contextlib.suppress(ssl.SSLError, ValueError):
                self._tls.unwrap()

    def take_outgoing(self) -> bytes:
        """Return what is to be sent now."""
        return self._outgoing.read() if self._outgoing.pending else b""

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return
        except (ssl.SSLError, ssl.CertificateError) as problem:
            raise TlsFault(_words(problem, self._server_name)) from None
        self.is_open = True


def _words(problem: ssl.SSLError | ssl.CertificateError, name: str | None = None) -> str:
    """Say what is wrong with the other side, without the library's brackets and line numbers."""
    if isinstance(problem, ssl.SSLCertVerificationError):
        other = f"its certificate is not accepted: {problem.verify_message.rstrip('.')}"
        return _VERDICTS.get(problem.verify_code, other).format(name=name)
    reason = getattr(problem, "reason", None) or str(problem)
    return _FAULTS.get(reason) or str(reason).replace("_", " ").lower()
