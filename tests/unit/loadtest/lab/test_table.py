"""Lines of /proc/net/tcp as the lab reads them."""

from __future__ import annotations

import socket

from loadtest.lab.table import LISTEN, TIME_WAIT, parse, sockets

WAITING = (
    "   3: 0100007F:C350 0200000A:9C40 06 00000000:00000000 03:00001388 00000000"
    "     0        0 0 3 0000000000000000"
)
MAPPED = (
    "   0: 0000000000000000FFFF00000100007F:0015 0000000000000000FFFF00000200000A:9C40 01"
    " 00000000:00000000 00:00000000 00000000     0        0 1 1 0000000000000000"
)


def test_the_age_of_a_time_wait_is_what_is_gone_of_its_sixty_seconds() -> None:
    line = next(parse([WAITING]))
    assert line.state == TIME_WAIT
    assert line.age == 60.0 - 50.0  # 0x1388 hundredths of a second are left
    assert (line.local_port, line.peer, line.peer_port) == (50_000, "10.0.0.2", 40_000)


def test_a_mapped_ipv4_address_is_the_ipv4_address() -> None:
    assert next(parse([MAPPED])).peer == "10.0.0.2"


def test_a_listening_socket_of_ours_is_in_the_table() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        # An earlier connection from the same port may still wait for its time to be over.
        found = {line.state for line in sockets() if line.local_port == port}
    assert LISTEN in found
