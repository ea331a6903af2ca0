"""The kernel's own count of our connections to a server."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from random import randrange

import pytest

from proxy.ops.metrics.server_sockets import Search, Sockets, count


def search(
    host: str, *, ours: str | None = None, not_ports: frozenset[int] = frozenset()
) -> Search:
    return Search(ours, {host}, not_ports)


@pytest.mark.parametrize("host", ["127.77.0.1", "::1"])
def test_open_connections_are_counted_by_the_servers_address(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server((host, 0), family=family))
        accepting = frozenset({server.getsockname()[1]})
        for _ in range(3):
            stack.enter_context(socket.create_connection(server.getsockname()[:2]))
            stack.enter_context(server.accept()[0])
        (found,) = count([search(host, not_ports=accepting)])
        assert found.open == 3
        assert count([search("192.0.2.1"), search("no address")]) == [Sockets(0, 0)] * 2


def test_each_address_of_ours_has_its_own_count() -> None:
    with (
        socket.create_server(("127.77.0.2", 0)) as server,
        socket.create_connection(server.getsockname(), source_address=("127.77.0.3", 0)),
    ):
        found = count([search("127.77.0.2", ours=ours) for ours in ("127.77.0.3", "127.77.0.4")])
        assert [one.open for one in found] == [1, 0]


def test_an_ipv4_server_is_found_behind_an_ipv6_socket() -> None:
    with (
        socket.create_server(("127.77.0.5", 0)) as server,
        socket.socket(socket.AF_INET6) as client,
    ):
        client.connect((f"::ffff:{server.getsockname()[0]}", server.getsockname()[1]))
        assert count([search("127.77.0.5")])[0].open == 1


def test_connections_of_other_processes_are_not_ours() -> None:
    with socket.create_server(("127.77.0.6", 0)) as server:
        talk = f"import socket; s = socket.create_connection({server.getsockname()}); s.recv(1)"
        with subprocess.Popen([sys.executable, "-c", talk]) as other:
            peer, _ = server.accept()
            with peer:
                port = frozenset({server.getsockname()[1]})
                assert count([search("127.77.0.6", not_ports=port)])[0].open == 0
            other.wait(timeout=20)


def test_a_connection_that_we_closed_first_waits() -> None:
    host = f"127.{randrange(80, 250)}.{randrange(256)}.{randrange(1, 255)}"  # of no earlier run
    with socket.create_server((host, 0)) as server:
        client = socket.create_connection(server.getsockname())
        peer, _ = server.accept()
        client.close()
        with peer:
            assert peer.recv(1) == b""
        (found,) = count([search(host)])
        assert found == Sockets(open=0, time_wait=1)
