"""Socket options: that they are set, where the system has them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from proxy.net.options import (
    LINGER_ZERO,
    acknowledge,
    give_up_after,
    keep_alive,
    lacks,
    mark,
    probe_at_once,
    probe_within,
    round_trip,
    tune_control,
    was_reset,
)


def test_a_control_socket_sends_at_once_hears_urgent_data_and_probes_a_silent_peer() -> None:
    with socket.socket() as sock:
        tune_control(sock)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def test_a_silent_peer_is_probed_after_half_a_minute() -> None:
    with socket.socket() as sock:
        keep_alive(sock)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30


@pytest.mark.parametrize("seconds", [3.0, 5.0, 10.0, 60.0])
def test_one_probe_that_is_lost_is_not_the_end(seconds: float) -> None:
    with socket.socket() as sock:
        probe_within(sock, seconds)
        idle = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
        every = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
    assert idle + every < seconds


def test_a_peer_in_doubt_is_probed_each_second() -> None:
    with socket.socket() as sock:
        keep_alive(sock)
        probe_at_once(sock)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 1
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == 1


def test_acknowledging_a_live_socket_does_no_harm() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()) as sock,
    ):
        acknowledge(sock)
        assert sock.send(b"still alive") == 11


@pytest.mark.parametrize(
    ("host", "level", "option"),
    [
        ("127.0.0.1", socket.IPPROTO_IP, socket.IP_TOS),
        ("::1", socket.IPPROTO_IPV6, socket.IPV6_TCLASS),
    ],
)
def test_a_mark_is_the_class_of_what_is_sent(host: str, level: int, option: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as sock:
        mark(sock, 26)
        assert sock.getsockopt(level, option) >> 2 == 26


def test_what_cannot_be_marked_is_no_trouble() -> None:
    one, other = socket.socketpair()
    with one, other:
        mark(one, 26)


def test_a_socket_without_a_peer_knows_no_round_trip() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        assert round_trip(sock) == 0.0


def test_the_kernel_gives_up_a_peer_that_acknowledges_nothing() -> None:
    with socket.socket() as sock:
        give_up_after(sock, 1.5)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 1500


@contextmanager
def connected() -> Iterator[tuple[socket.socket, socket.socket]]:
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()) as near,
        listening.accept()[0] as far,
    ):
        yield near, far


def test_who_has_acknowledged_everything_lacks_nothing() -> None:
    with connected() as (near, far):
        near.send(b"abc")
        near.shutdown(socket.SHUT_WR)
        assert far.recv(10) == b"abc"
        assert far.recv(10) == b""
        far.close()
        near.recv(10)
        assert not lacks(near)
        assert not was_reset(near)


def test_who_does_not_take_it_lacks_it() -> None:
    with connected() as (near, _):
        near.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                near.send(bytes(1 << 20))
        assert lacks(near)


def test_a_reset_is_told_once_and_changes_nothing_about_what_was_acknowledged() -> None:
    with connected() as (near, far):
        near.send(b"abc")
        far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        far.close()
        assert was_reset(near)
        assert not was_reset(near)
        assert not lacks(near)
