"""Where a connection was made to; what a firewall turns to us is in the integration tests."""

from __future__ import annotations

import socket

import pytest

from proxy.net.redirected import wanted


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_who_came_to_us_by_himself_wanted_nobody_else(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with (
        socket.create_server((host, 0), family=family) as listening,
        socket.create_connection(listening.getsockname()[:2]),
    ):
        sock, _ = listening.accept()
        with sock:
            assert wanted(sock.fileno(), sock.getsockname()[:2]) is None
            assert sock.fileno() != -1  # ours stays open
