from __future__ import annotations

import socket

from proxy.ops.socket_table import ESTABLISHED, LISTEN, Row, rows


def at(port: int, found: list[Row]) -> list[Row]:
    return [row for row in found if row.local_port == port]


def test_each_end_of_a_connection_has_a_row_and_the_door_has_one() -> None:
    with (
        socket.create_server(("127.77.1.1", 0)) as door,
        socket.create_connection(door.getsockname()) as near,
        door.accept()[0],
    ):
        found = rows()
        place = door.getsockname()[1]
        assert sorted(row.state for row in at(place, found)) == [ESTABLISHED, LISTEN]
        (row,) = at(near.getsockname()[1], found)
        assert (row.remote_port, row.state) == (place, ESTABLISHED)
        assert rows({row.remote_address}) == [row]


def test_nobody_is_at_an_address_that_nobody_uses() -> None:
    assert rows({"00000000000000000000000000000042"}) == []
