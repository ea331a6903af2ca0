"""Whom we trust in TLS when we connect, and what a certificate says of itself.

Expiry is told by numbers: who asks knows what time it is.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from .certificate import VERSIONS, load_authorities, load_certificate

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class TrustFiles:
    """Who vouches for a server, and what we show to it. PEM files."""

    verify: bool = True
    ca: str | None = None  # None: the system's own
    certificate: str | None = None  # None: we show none
    key: str | None = None  # None: in the certificate's own file
    min_version: str = "1.2"


def trust_context(files: TrustFiles) -> ssl.SSLContext:
    """Read the files; raise BadCertificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = VERSIONS[files.min_version]
    if not files.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif files.ca is not None:
        load_authorities(context, files.ca, "ca")
    else:
        context.load_default_certs()
    if files.certificate is not None:
        load_certificate(context, files.certificate, files.key)
    return context


@dataclass(frozen=True, slots=True)
class Shown:
    """What a certificate says. Times are seconds since 1970."""

    subject: str
    issuer: str
    begins_at: float
    expires_at: float

    @classmethod
    def first_in(cls, path: str) -> Shown | None:
        """Read the first certificate of a PEM file; None when it makes no sense."""
        _, begin, rest = Path(path).read_text("latin-1").partition(_BEGIN)
        try:
            return cls.of(ssl.PEM_cert_to_DER_cert(begin + rest.partition(_END)[0] + _END))
        except ValueError:
            return None

    @classmethod
    def of(cls, certificate: bytes) -> Shown | None:
        """Read a certificate (DER); None when it makes no sense."""
        try:
            read = x509.load_der_x509_certificate(certificate)
            return cls(
                read.subject.rfc4514_string(),
                read.issuer.rfc4514_string(),
                read.not_valid_before_utc.timestamp(),
                read.not_valid_after_utc.timestamp(),
            )
        except ValueError:
            return None
