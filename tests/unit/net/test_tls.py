"""TLS without a socket: two wires in memory talk to each other."""

from __future__ import annotations

import ssl

import pytest

from proxy.net.tls import RECORD, TlsFault, TlsWire
from tests.support.wires import (
    NAME,
    client_context,
    converse,
    open_wires,
    server_context,
    wires,
)

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


@pytest.mark.parametrize("version", VERSIONS)
def test_two_wires_agree_and_understand_each_other(version: ssl.TLSVersion) -> None:
    client, server = open_wires(version)
    assert client.is_open
    assert server.is_open
    assert client.version == server.version == version.name.replace("_", ".")
    client.write(b"USER alice\r\n")
    server.feed(client.take_outgoing())
    assert server.read() == b"USER alice\r\n"
    server.write(b"331 Password?\r\n")
    client.feed(server.take_outgoing())
    assert client.read() == b"331 Password?\r\n"


def test_any_division_of_the_ciphertext_gives_the_same_plaintext() -> None:
    client, server = wires()
    client.begin()
    while not (client.is_open and server.is_open):
        for byte in client.take_outgoing():
            server.feed(bytes([byte]))
        for byte in server.take_outgoing():
            client.feed(bytes([byte]))
    client.write(b"PWD\r\n" * 3)
    got = b""
    for byte in client.take_outgoing():
        server.feed(bytes([byte]))
        got += server.read()
    assert got == b"PWD\r\n" * 3


def test_what_does_not_fit_the_buffer_is_read_next() -> None:
    client, server = open_wires()
    content = bytes(range(256)) * 200
    client.write(content)
    server.feed(client.take_outgoing())
    got, buffer = b"", memoryview(bytearray(1000))
    while count := server.read_into(buffer):
        got += buffer[:count]
    assert got == content


@pytest.mark.parametrize("version", VERSIONS)
def test_a_sibling_resumes_the_session_on_both_sides(version: ssl.TLSVersion) -> None:
    client, server = open_wires(version)
    for _ in range(3):
        ours, theirs = client.sibling(), server.sibling()
        converse(ours, theirs)
        assert ours.resumed
        assert theirs.resumed
        assert not client.resumed


def test_a_server_without_tickets_knows_a_session_by_its_number() -> None:
    context = server_context()
    context.options |= ssl.OP_NO_TICKET
    client = TlsWire(client_context(ssl.TLSVersion.TLSv1_2), is_server=False, server_name=NAME)
    server = TlsWire(context, is_server=True)
    converse(client, server)
    ours, theirs = client.sibling(), server.sibling()
    converse(ours, theirs)
    assert ours.resumed
    assert theirs.resumed


def test_a_servers_data_connection_sends_no_tickets_that_a_client_might_leave_unread() -> None:
    client, server = open_wires()
    ours, theirs = client.sibling(), server.sibling()
    ours.begin()
    theirs.feed(ours.take_outgoing())
    ours.feed(theirs.take_outgoing())
    theirs.feed(ours.take_outgoing())
    assert theirs.is_open
    assert theirs.take_outgoing() == b""
    again, server_again = client.sibling(), TlsWire(server_context(), is_server=True)
    again.begin()
    server_again.feed(again.take_outgoing())
    again.feed(server_again.take_outgoing())
    server_again.feed(again.take_outgoing())
    assert server_again.take_outgoing() != b""


@pytest.mark.parametrize("version", VERSIONS)
def test_a_goodbye_is_heard_behind_all_that_was_said(version: ssl.TLSVersion) -> None:
    client, server = open_wires(version)
    client.write(b"QUIT\r\n")
    client.close()
    client.close()
    client.write(b"nobody hears this")
    server.feed(client.take_outgoing())
    assert server.read() == b"QUIT\r\n"
    assert server.has_ended
    assert server.read() == b""
    server.write(b"221 Goodbye.\r\n")
    server.close()
    assert server.take_outgoing()


def test_nothing_is_said_before_hands_are_shaken() -> None:
    client, server = wires()
    server.write(b"220 too early")
    server.close()
    assert server.take_outgoing() == b""
    assert client.version == ""
    assert server.read() == b""


@pytest.mark.parametrize(
    ("garbage", "words"),
    [
        (b"USER alice\r\nPASS secret\r\n", "it speaks in clear where TLS is expected"),
        (b"GET / HTTP/1.1\r\n\r\n", "it speaks HTTP"),
        (b"\x16\x03\x01\x00\x05" + bytes(5), "unexpected message|bad|length|unsupported|internal"),
    ],
)
def test_garbage_is_a_fault_in_words(garbage: bytes, words: str) -> None:
    _, server = wires()
    with pytest.raises(TlsFault, match=words) as caught:
        server.feed(garbage * 2)
    assert "[" not in str(caught.value)


def test_a_certificate_for_another_name_is_a_fault_and_the_other_side_is_told() -> None:
    client = TlsWire(client_context(), is_server=False, server_name="ftp.example.com")
    server = TlsWire(server_context(), is_server=True)
    with pytest.raises(TlsFault, match=r"^its certificate is not for ftp\.example\.com$"):
        converse(client, server)
    with pytest.raises(TlsFault, match="it does not accept our certificate"):
        server.feed(client.take_outgoing())


def test_a_certificate_of_an_unknown_authority_is_a_fault() -> None:
    stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client = TlsWire(stranger, is_server=False, server_name=NAME)
    with pytest.raises(
        TlsFault, match="^its certificate (comes from an unknown issuer|is signed by itself)$"
    ):
        converse(client, TlsWire(server_context(), is_server=True))


def test_a_changed_byte_is_a_fault() -> None:
    client, server = open_wires()
    client.write(b"RETR a")
    said = bytearray(client.take_outgoing())
    said[-1] ^= 1
    server.feed(bytes(said))
    with pytest.raises(TlsFault, match="decryption failed or bad record mac"):
        server.read()


def test_the_other_sides_certificate_is_known_whether_or_not_it_was_checked() -> None:
    client, server = open_wires()
    assert client.peer_certificate
    assert server.peer_certificate is None
    careless = client_context()
    careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE
    client = TlsWire(careless, is_server=False)
    converse(client, TlsWire(server_context(), is_server=True))
    assert client.peer_certificate


def test_a_record_is_the_most_that_one_reading_of_the_library_gives() -> None:
    client, server = open_wires()
    client.write(bytes(3 * RECORD))
    server.feed(client.take_outgoing())
    assert len(server.read()) == 3 * RECORD
