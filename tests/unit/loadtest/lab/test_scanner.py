"""What a scanner of CSF's kind counts, and when it bans."""

from __future__ import annotations

import socket

from loadtest.lab.scanner import Scanner, count
from loadtest.lab.table import LISTEN, TIME_WAIT, Line

ESTABLISHED = 1


def line(peer: str, state: int = ESTABLISHED, age: float = 0.0, port: int = 21) -> Line:
    return Line(port, peer, 40_000, state, age)


def test_time_wait_counts_and_listening_does_not() -> None:
    lines = [line("a"), line("a", TIME_WAIT, 59.0), line("a", LISTEN), line("b")]
    assert count(lines, lambda port: True) == {"a": 2, "b": 1}


def test_only_the_servers_own_ports_count() -> None:
    lines = [line("a", port=21), line("a", port=40_000)]
    assert count(lines, lambda port: port == 21) == {"a": 1}


def test_compressed_time_overlooks_what_has_waited_longer() -> None:
    lines = [line("a", TIME_WAIT, 3.9), line("a", TIME_WAIT, 4.1)]
    assert count(lines, lambda port: True, time_wait=4.0) == {"a": 1}


def test_an_address_is_banned_once_and_only_above_the_limit() -> None:
    banned: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        scanner = Scanner("self", limit=1, ban=banned.append, is_ours=lambda one: one == port)
        with socket.create_connection(("127.0.0.1", port)):
            scanner.look()
            assert (scanner.now, banned) == (1, [])
            with socket.create_connection(("127.0.0.1", port)):
                scanner.look()
                scanner.look()
    assert (scanner.most, banned) == (2, ["127.0.0.1"])
