"""The certificate we show to clients: read from its files, and again whenever they have changed.

A renewed certificate thus counts from the next connection on, without a restart.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from proxy.events import Announce, CertificateRefused

Stamp: TypeAlias = tuple[tuple[int, int, int], ...]

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class BadCertificate(Exception):
    """A file for TLS cannot be used; the message says which and why."""


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where it is, and what is asked of clients. PEM files."""

    certificate: str
    key: str | None = None  # None: in the certificate's own file
    client_ca: str | None = None  # None: clients need no certificate
    min_version: str = "1.2"

    @property
    def paths(self) -> tuple[str, ...]:
        """Every file there is to read."""
        return tuple(filter(None, (self.certificate, self.key, self.client_ca)))


class Certificate:
    """What is shown now. A changed file that cannot be used is announced: the last good one is."""

    def __init__(self, files: CertificateFiles, announce: Announce) -> None:
        self.files = files
        self._announce = announce
        self._stamp = self._look()
        self._context = server_context(files)

    @property
    def context(self) -> ssl.SSLContext:
        """What the next connection is to be protected with."""
        stamp = self._look()
        if stamp != self._stamp:
            self._stamp = stamp  # a broken file is tried once, not at each connection
            try:
                self._context = server_context(self.files)
            except BadCertificate as problem:
                self._announce(CertificateRefused(self.files.certificate, str(problem)))
        return self._context

    def _look(self) -> Stamp:
        """Tell the files from what they were."""
        seen = []
        for path in self.files.paths:
            try:
                found = Path(path).stat()
            except OSError:
                seen.append((0, 0, 0))
            else:
                seen.append((found.st_mtime_ns, found.st_ino, found.st_size))
        return tuple(seen)


def server_context(files: CertificateFiles) -> ssl.SSLContext:
    """Read the files; raise BadCertificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = VERSIONS[files.min_version]
    load_certificate(context, files.certificate, files.key)
    if files.client_ca is not None:
        load_authorities(context, files.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def load_certificate(context: ssl.SSLContext, certificate: str, key: str | None) -> None:
    """Make the context show this certificate; raise BadCertificate."""
    for path in filter(None, (certificate, key)):
        _read(path)
    try:
        # An encrypted key would ask for its password on the terminal.
        context.load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, OSError) as problem:
        words = "key and certificate do not match" if "MISMATCH" in str(problem) else "no PEM pair"
        both = certificate if key is None else f"{certificate} with {key}"
        raise BadCertificate(f"{both}: {words} of a certificate and its key") from None


def load_authorities(context: ssl.SSLContext, path: str) -> None:
    """Make the context trust the certificates in a PEM file; raise BadCertificate."""
    _read(path)
    try:
        context.load_verify_locations(path)
    except (ssl.SSLError, OSError):
        raise BadCertificate(f"{path}: no PEM file of certificates") from None


def _read(path: str) -> None:
    try:
        Path(path).read_bytes()
    except OSError as problem:
        raise BadCertificate(f"{path}: {problem.strerror}") from None
