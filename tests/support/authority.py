"""A certificate authority of the lab's own, and the PEM files it writes."""

from __future__ import annotations

import datetime
import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Pem:
    """The files of one certificate; both may be the same."""

    certificate: Path
    key: Path


class Authority:
    """Issues certificates into a folder. `ca` is the file that those who trust it read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ca = trustme.CA()
        self._issued = 0
        self.ca = folder / f"ca-{id(self)}.pem"
        self._ca.cert_pem.write_to_path(self.ca)

    def issue(self, *names: str, expires_in: datetime.timedelta | None = None) -> Pem:
        """Return a certificate for these names and addresses, in one file with its key."""
        when = None if expires_in is None else datetime.datetime.now(datetime.UTC) + expires_in
        issued = self._ca.issue_cert(
            *(names or ("localhost", "127.0.0.1", "127.0.0.2", "::1")),
            not_after=when,
            # Some servers of the lab take no other kind without being told so.
            key_type=trustme.KeyType.RSA,
        )
        self._issued += 1
        path = self._folder / f"{self.ca.stem}-{self._issued}.pem"
        issued.private_key_and_cert_chain_pem.write_to_path(path)
        path.chmod(0o600)
        return Pem(path, path)

    def trust(self) -> ssl.SSLContext:
        """Return a client's context that trusts this authority alone."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._ca.configure_trust(context)
        return context
