"""Both ends of TLS without a network between them, and real ones that test clients use."""

from __future__ import annotations

import ssl
from functools import cache

import trustme

from proxy.net.tls import TlsWire

NAME = "localhost"


@cache
def authority() -> trustme.CA:
    """Return the one authority of this process: making keys takes its time."""
    return trustme.CA()


def server_context(*names: str) -> ssl.SSLContext:
    """Return the context of a server that shows a certificate for these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(*(names or (NAME, "127.0.0.1"))).configure_cert(context)
    return context


def client_context(most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    """Return the context of a client that trusts the authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority().configure_trust(context)
    context.maximum_version = most
    return context


def wires(most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> tuple[TlsWire, TlsWire]:
    """Return a client's and a server's wire, hands not yet shaken."""
    client = TlsWire(client_context(most), is_server=False, server_name=NAME)
    return client, TlsWire(server_context(), is_server=True)


def converse(client: TlsWire, server: TlsWire) -> None:
    """Carry what either has to say to the other until both are silent."""
    client.begin()
    while (said := client.take_outgoing()) or (answered := server.take_outgoing()):
        if said:
            server.feed(said)
        else:
            client.feed(answered)
        assert client.read() == b""  # session tickets come behind the handshake


def open_wires(most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> tuple[TlsWire, TlsWire]:
    """Return a client's and a server's wire that have agreed."""
    client, server = wires(most)
    converse(client, server)
    return client, server
