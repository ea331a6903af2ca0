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


_ENCRYPTED = (
    "the private key wants a password, and nobody is there to give it "
    "(`openssl pkey -in FILE -out OTHER` takes it off)"
)


class BadCertificate(Exception):
    """A file for TLS cannot be used; the message says which and why.

    `setting` is the last word of the key that names it.
    """

    def __init__(self, setting: str, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.setting = setting


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
        load_authorities(context, files.client_ca, "client_ca")
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def load_certificate(context: ssl.SSLContext, certificate: str, key: str | None) -> None:
    """Make the context show this certificate; raise BadCertificate."""
    chain = _read("certificate", certificate)
    secret = chain if key is None else _read("key", key)
    if "-----BEGIN CERTIFICATE-----" not in chain:
        raise BadCertificate("certificate", certificate, "holds no certificate (PEM)")
    if "PRIVATE KEY-----" not in secret:
        where = "; name the file of its key in `key`" if key is None else ""
        raise BadCertificate("key", key or certificate, f"holds no private key (PEM){where}")
    if "ENCRYPTED" in secret:
        raise BadCertificate("key", key or certificate, _ENCRYPTED)
    try:
        # Any password keeps the library from asking for one on the terminal.
        context.load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, OSError) as problem:
        words = f"cannot be used with {certificate}"
        if "MISMATCH" in str(problem):
            words = f"is not the key of the (first) certificate in {certificate}"
        raise BadCertificate("key", key or certificate, words) from None


def load_authorities(context: ssl.SSLContext, path: str, setting: str) -> None:
    """Make the context trust the certificates in a PEM file; raise BadCertificate."""
    _read(setting, path)
    try:
        context.load_verify_locations(path)
    except (ssl.SSLError, OSError):
        raise BadCertificate(setting, path, "holds no certificates (PEM)") from None


def _read(setting: str, path: str) -> str:
    file = Path(path)
    if file.is_fifo() or file.is_char_device():
        raise BadCertificate(setting, path, "is no file: nobody knows where it ends")
    try:
        return file.read_text("latin-1")
    except OSError as problem:
        raise BadCertificate(setting, path, str(problem.strerror)) from None
