"""A socket in TLS behaves like a plain one: partial writes, ends, errors."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from proxy.net.tls import TlsFault
from proxy.net.tls_socket import TlsSocket
from tests.support.wires import wires


@pytest.fixture
def pair() -> Iterator[tuple[TlsSocket, TlsSocket, socket.socket, socket.socket]]:
    """A client's and a server's end that have agreed, and their sockets."""
    ours, theirs = socket.socketpair()
    for sock in (ours, theirs):
        sock.setblocking(False)
    with ours, theirs:
        client_wire, server_wire = wires()
        client, server = TlsSocket(ours, client_wire), TlsSocket(theirs, server_wire)
        while not (client.is_open and server.is_open):
            client.shake_hands()
            server.shake_hands()
        yield client, server, ours, theirs


Pair = tuple[TlsSocket, TlsSocket, socket.socket, socket.socket]


def read(stream: TlsSocket, size: int = 1 << 16) -> bytes:
    buffer = memoryview(bytearray(size))
    return bytes(buffer[: stream.recv_into(buffer)])


def test_what_is_sent_is_received(pair: Pair) -> None:
    client, server, ours, _ = pair
    assert client.fileno() == ours.fileno()
    assert client.send(b"content") == 7
    assert read(server) == b"content"
    with pytest.raises(BlockingIOError):
        read(server)


def test_a_small_buffer_gets_a_big_record_in_pieces(pair: Pair) -> None:
    client, server, _, _ = pair
    client.send(bytes(1000))
    assert len(read(server, 600)) == 600
    assert len(read(server, 600)) == 400
    with pytest.raises(BlockingIOError):
        read(server)


def test_who_cannot_send_all_sends_the_rest_later_and_nothing_twice(pair: Pair) -> None:
    client, server, _, _ = pair
    sent = 0
    pieces = [bytes([number]) * 50_000 for number in range(40)]
    received = bytearray()
    for piece in pieces:
        while True:
            try:
                sent += client.send(piece)
                break
            except BlockingIOError:
                assert client.has_unsent
                received += read(server)
    assert client.flush()
    while len(received) < sent:
        received += read(server)
    assert bytes(received) == b"".join(pieces)


def test_an_announced_end_was_not_cut(pair: Pair) -> None:
    client, server, ours, _ = pair
    client.send(b"all there is")
    assert client.say_goodbye()
    assert read(server) == b"all there is"
    assert read(server) == b""  # though the socket has nothing more to read
    ours.close()
    assert read(server) == b""
    assert not server.was_cut


def test_a_fin_alone_is_an_end_that_was_cut(pair: Pair) -> None:
    client, server, ours, _ = pair
    client.send(b"the first half")
    ours.shutdown(socket.SHUT_WR)
    assert read(server) == b"the first half"
    assert read(server) == b""
    assert server.was_cut


def test_a_changed_byte_is_an_error_and_never_an_end(pair: Pair) -> None:
    client, server, ours, theirs = pair
    client.send(b"content")
    said = bytearray(theirs.recv(1000))
    said[-1] ^= 1
    ours.send(said)
    with pytest.raises(TlsFault):
        read(server)


def test_who_hangs_up_in_the_handshake_is_a_reset() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours:
        client = TlsSocket(ours, wires()[0])
        assert not client.shake_hands()
        theirs.shutdown(socket.SHUT_WR)
        with theirs, pytest.raises(ConnectionResetError, match="hung up in the handshake"):
            client.shake_hands()


def test_garbage_in_the_handshake_is_a_fault() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        server = TlsSocket(ours, wires()[1])
        theirs.send(b"USER alice\r\n")
        with pytest.raises(TlsFault):
            server.shake_hands()


def test_what_nobody_wants_is_read_away(pair: Pair) -> None:
    client, server, _, theirs = pair
    client.send(b"late")
    server.discard_unread()
    with pytest.raises(BlockingIOError):
        theirs.recv(1)
    server.discard_unread()
