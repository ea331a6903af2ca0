"""The doctor's own sockets: counted, bounded, and never believed more than they say."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest

from proxy.ops.doctor.seen import Met
from proxy.ops.doctor.wire import ControlLine, Dialler, LineLost, LineSilent, NotFtp, Purse

PATIENCE = 20.0
AT_ONCE = 0.01


@pytest.fixture
def ends() -> Iterator[tuple[ControlLine, socket.socket]]:
    """A control line, and the server's end of it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        line = ControlLine(socket.create_connection(listening.getsockname()))
        server, _ = listening.accept()
        with server:
            yield line, server
        line.close()


def dialler(room: int | None = None) -> Dialler:
    return Dialler(Purse(room), patience=PATIENCE, source=None)


def test_a_purse_gives_no_more_than_it_has() -> None:
    purse = Purse(2)
    assert [purse.take() for _ in range(3)] == [True, True, False]
    assert (purse.spent, purse.was_short) == (2, True)


def test_a_purse_nobody_counts_is_never_short() -> None:
    purse = Purse(None)
    assert all(purse.take() for _ in range(100))
    assert (purse.spent, purse.was_short) == (100, False)


def test_a_server_that_listens_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        attempt, sock = dialler().connect(*listening.getsockname())
    assert attempt.met is Met.ANSWER
    assert sock is not None
    sock.close()


def test_a_port_at_which_nobody_listens_refuses_and_costs_a_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        place = listening.getsockname()
    doctor = dialler()
    attempt, sock = doctor.connect(*place)
    assert (attempt.met, sock, doctor.purse.spent) == (Met.REFUSAL, None, 1)


def test_an_address_that_leads_nowhere_is_unreachable() -> None:
    attempt, _ = dialler().connect("255.255.255.255", 21)
    assert attempt.met is Met.NO_WAY
    assert attempt.words


def test_without_room_nothing_is_tried() -> None:
    attempt, sock = dialler(room=0).connect("127.0.0.1", 21)
    assert (attempt.met, sock) == (Met.NO_ROOM, None)


def test_a_command_goes_and_its_reply_comes(ends: tuple[ControlLine, socket.socket]) -> None:
    line, server = ends
    server.sendall(b"200-One\r\n200 Two\r\n226 More\r\n")
    assert line.ask("NOOP", PATIENCE).words == "One Two"
    assert server.recv(100) == b"NOOP\r\n"
    assert line.has_reply
    assert line.reply(AT_ONCE).code == 226


def test_no_argument_becomes_a_second_command(ends: tuple[ControlLine, socket.socket]) -> None:
    line, server = ends
    line.send("USER a\r\nDELE b")
    assert server.recv(100) == b"USER aDELE b\r\n"


def test_silence_is_borne_for_so_long(ends: tuple[ControlLine, socket.socket]) -> None:
    with pytest.raises(LineSilent, match="within 0.01 s"):
        ends[0].reply(AT_ONCE)


def test_a_line_that_is_hung_up_is_lost(ends: tuple[ControlLine, socket.socket]) -> None:
    line, server = ends
    server.close()
    with pytest.raises(LineLost, match="closed the connection"):
        line.reply(PATIENCE)


def test_what_is_no_reply_is_not_ftp(ends: tuple[ControlLine, socket.socket]) -> None:
    line, server = ends
    server.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
    with pytest.raises(NotFtp, match="SSH-2.0"):
        line.reply(PATIENCE)


def test_goodbye_is_said_even_to_a_line_that_is_lost(
    ends: tuple[ControlLine, socket.socket],
) -> None:
    line, server = ends
    server.sendall(b"221 Bye.\r\n")
    line.quit()
    with suppress(ConnectionError):
        assert server.recv(100) == b"QUIT\r\n"
    line.quit()
    assert line.tls is None
