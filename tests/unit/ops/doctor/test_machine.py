"""What the kernel tells of this machine."""

from __future__ import annotations

import os
import resource
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from proxy.ops.doctor.machine import (
    descriptors_of,
    look_at_machine,
    owner,
    sockets,
)
from proxy.ops.metrics.socket_table import ESTABLISHED, LISTEN


def test_connections_to_the_server_are_counted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        place = ("127.0.0.1", int(listening.getsockname()[1]))
        with socket.create_connection(place), socket.create_connection(place):
            seen = look_at_machine([place], (), None)
    assert seen.sessions_held == 2
    assert 0 < seen.ports_used < seen.ports


@pytest.mark.parametrize(
    ("host", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)]
)
def test_a_listed_socket_has_its_address_state_and_owner(
    host: str, family: socket.AddressFamily
) -> None:
    with socket.create_server((host, 0), family=family) as listening:
        place = listening.getsockname()[:2]
        with socket.create_connection(place) as connected:
            own = connected.getsockname()[:2]
            table = sockets()
            (door,) = [
                one for one in table if (one.host, one.port) == place and one.state == LISTEN
            ]
            ends = (*own, *place)
            (line,) = [
                one for one in table if (one.host, one.port, one.peer, one.peer_port) == ends
            ]
            assert line.state == ESTABLISHED
            assert owner(door.inode) == os.getpid()


def test_a_socket_of_nobody_has_no_owner() -> None:
    assert owner(0) is None


def test_descriptors_are_counted_against_the_limit_that_is_met() -> None:
    found = descriptors_of(os.getpid())
    assert found is not None
    used, limit = found
    assert abs(used - len(os.listdir("/proc/self/fd"))) <= 1
    assert limit == resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def test_a_process_that_is_gone_tells_nothing() -> None:
    assert descriptors_of(1 << 22) is None


def test_the_clock_and_the_time_of_the_state_file(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.touch()
    os.utime(state, (0, 86400))
    seen = look_at_machine((), (), state)
    assert seen.state_written == datetime(1970, 1, 2, tzinfo=UTC)
    assert abs((seen.clock - datetime.now(UTC)).total_seconds()) < 60
    assert look_at_machine((), (), tmp_path / "none").state_written is None


def test_an_address_of_another_machine_is_told() -> None:
    assert look_at_machine((), ("127.0.0.1", "192.0.2.1"), None).foreign_sources == ("192.0.2.1",)
