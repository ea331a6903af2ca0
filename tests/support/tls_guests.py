"""The whole proxy with one TLS listener, before a scripted server in clear, and clients in TLS."""

from __future__ import annotations

import contextlib
import ftplib
import io
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from typing import Any

from .authority import Authority
from .house import House, house
from .scripted import Scripted, scripted

CONTENT = bytes(range(256)) * 4096
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
STRICT: list[dict[str, Any]] = [
    {"name": "strict", "user": ["alice"], "require": "data"},
    {"name": "everyone"},
]


@contextlib.asynccontextmanager
async def home_with(
    authority: Authority,
    tls: str = "explicit",
    *,
    timeouts: dict[str, float] | None = None,
    clients: list[dict[str, Any]] | None = None,
    **more: Any,
) -> AsyncIterator[tuple[House, Scripted]]:
    """Run the proxy with one TLS listener before a scripted server in clear."""
    certificate = str(authority.issue().certificate)
    listen = [{"address": "127.0.0.1:0", "tls": tls, "certificate": certificate, **more}]
    async with (
        scripted({b"/big": CONTENT}) as server,
        house(
            server,
            listen=listen,
            timeouts=timeouts or {},
            clients=clients or [{"name": "everyone"}],
            refusals={"delay": 0.0},
        ) as home,
    ):
        yield home, server


class Implicit(ftplib.FTP_TLS):
    """ftplib knows no implicit TLS: wrapped before the greeting."""

    def connect(self, host: str = "", port: int = 0, *args: Any, **options: Any) -> str:
        self.host, self.port = host, port
        sock = socket.create_connection((host, port), timeout=20)
        self.af = sock.family
        self.sock = self.context.wrap_socket(sock, server_hostname=host)
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()
        self._prot_p = True
        return self.welcome


def exchange(port: int, context: ssl.SSLContext, kind: type[ftplib.FTP_TLS]) -> tuple[bytes, str]:
    """Log in, fetch and store; return what was fetched and the version spoken."""
    got = io.BytesIO()
    with kind(context=context, timeout=20) as ftp:
        ftp.connect("127.0.0.1", port)
        ftp.login("alice", "secret")
        if kind is ftplib.FTP_TLS:
            ftp.prot_p()
        ftp.retrbinary("RETR /big", got.write)
        ftp.storbinary("STOR /new", io.BytesIO(CONTENT))
        assert isinstance(ftp.sock, ssl.SSLSocket)
        version = ftp.sock.version() or ""
        ftp.quit()
    return got.getvalue(), version


@contextlib.contextmanager
def logged_in(home: House, authority: Authority) -> Iterator[ftplib.FTP_TLS]:
    """Lend a client in TLS, for a thread."""
    with ftplib.FTP_TLS(context=authority.trust(), timeout=20) as ftp:
        ftp.connect("127.0.0.1", home.port)
        ftp.login("alice", "secret")
        yield ftp
