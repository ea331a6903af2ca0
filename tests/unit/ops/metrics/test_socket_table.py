from __future__ import annotations

import socket
import sys

from proxy.ops.metrics.socket_table import ESTABLISHED, LISTEN, Row, rows


def at(place: tuple[str, int], found: list[Row]) -> list[Row]:
    written = f"{int.from_bytes(socket.inet_aton(place[0]), sys.byteorder):08X}"
    return [row for row in found if (row.local_address, row.local_port) == (written, place[1])]


def test_each_end_of_a_connection_has_a_row_and_the_door_has_one() -> None:
    with (
        socket.create_server(("127.77.1.1", 0)) as door,
        socket.create_connection(door.getsockname()) as near,
        door.accept()[0],
    ):
        found = rows()
        place = door.getsockname()
        assert sorted(row.state for row in at(place, found)) == [ESTABLISHED, LISTEN]
        # The kernel lends a port again to whoever connects to another place.
        (row,) = (row for row in at(near.getsockname(), found) if row.remote_port == place[1])
        assert row.state == ESTABLISHED
        assert rows({row.remote_address}) == [row]


def test_nobody_is_at_an_address_that_nobody_uses() -> None:
    assert rows({"00000000000000000000000000000042"}) == []
