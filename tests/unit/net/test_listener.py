from __future__ import annotations

import random
import socket
from collections.abc import Iterator

import pytest

from proxy.net.listener import LATE, MOST_KEPT, Listener, ListenerPool
from tests.support.ports import give_back, lend
from tests.support.scarce import no_descriptor_left

HOST = "127.0.0.1"
REST = 60.0


class Bench:
    """A pool over a few ports that are free now, and a clock that the test turns."""

    def __init__(self, size: int, rest: float = 0.0, keep: int = MOST_KEPT) -> None:
        self.now = 100.0
        self._window = lend()
        self.ports = self._window[:size]
        self.pool = ListenerPool(
            self.ports[0],
            self.ports[-1],
            clock=lambda: self.now,
            chance=random.Random(7),
            rest=rest,
            keep=keep,
        )

    def lend(self) -> Listener:
        listener = self.pool.lend(HOST)
        assert listener is not None
        return listener

    def close(self) -> None:
        """Close the pool, and whatever a test has left lent."""
        self.pool.close()
        for listener in tuple(self.pool._lent):
            self.pool.give_back(listener, used=False)
        give_back(self._window)


def _is_listening(port: int) -> bool:
    with socket.socket() as visitor:
        return visitor.connect_ex((HOST, port)) == 0


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench(4)
    yield bench
    bench.close()


def test_a_lent_listener_is_nobody_elses(bench: Bench) -> None:
    ports = {bench.lend().port for _ in bench.ports}
    assert ports == set(bench.ports)
    assert bench.pool.lend(HOST) is None
    assert (bench.pool.lent, bench.pool.size) == (4, 4)


def test_who_lacks_a_descriptor_is_not_told_that_all_ports_are_taken(bench: Bench) -> None:
    with no_descriptor_left(), pytest.raises(OSError, match="Too many open files"):
        bench.pool.lend(HOST)
    assert {bench.lend().port for _ in bench.ports} == set(bench.ports)


def test_a_used_listener_comes_back_still_bound(bench: Bench) -> None:
    lent = [bench.lend() for _ in bench.ports]
    bench.pool.give_back(lent[2], used=True)
    assert bench.lend() is lent[2]


def test_an_unused_port_rests_until_nobody_late_can_come(bench: Bench) -> None:
    lent = [bench.lend() for _ in bench.ports]
    bench.pool.give_back(lent[1], used=False)
    assert lent[1].sock.fileno() == -1
    assert bench.pool.lend(HOST) is None
    assert bench.pool.next_free(HOST) == LATE
    bench.now += LATE
    again = bench.lend()
    assert again.port == lent[1].port
    assert again.sock is not lent[1].sock


def test_ports_are_picked_at_random() -> None:
    bench = Bench(64)
    try:
        picked = [bench.lend().port for _ in range(8)]
    finally:
        bench.close()
    assert picked != sorted(picked)


def test_each_local_address_has_the_whole_range(bench: Bench) -> None:
    for _ in bench.ports:
        bench.lend()
    other = bench.pool.lend("127.0.0.2")
    assert other is not None
    assert other.sock.getsockname()[0] == "127.0.0.2"


def test_a_port_that_another_program_holds_is_passed_over(bench: Bench) -> None:
    with socket.create_server((HOST, bench.ports[0])):
        ports = {bench.lend().port for _ in bench.ports[1:]}
        assert ports == set(bench.ports[1:])
        assert bench.pool.lend(HOST) is None
    assert bench.lend().port == bench.ports[0]


def test_a_connection_that_nobody_accepted_gets_a_fin_when_the_port_is_given_back(
    bench: Bench,
) -> None:
    listener = bench.lend()
    with socket.create_connection((HOST, listener.port), timeout=5) as late:
        bench.pool.give_back(listener, used=True)
        assert late.recv(1) == b""


def test_a_returned_port_rests_as_long_as_it_was_told() -> None:
    bench = Bench(1, rest=REST)
    try:
        bench.pool.give_back(bench.lend(), used=True)
        assert bench.pool.lend(HOST) is None
        assert bench.pool.next_free(HOST) == REST
        bench.now += REST
        bench.lend()
    finally:
        bench.close()


def test_two_hundred_loans_repeat_no_port_within_its_rest() -> None:
    bench = Bench(200, rest=REST)
    try:
        ports = []
        for _ in bench.ports:
            listener = bench.lend()
            ports.append(listener.port)
            bench.pool.give_back(listener, used=True)
        assert len(set(ports)) == 200
    finally:
        bench.close()


def test_a_port_whose_borrower_came_need_not_rest(bench: Bench) -> None:
    lent = [bench.pool.lend(HOST, peer=HOST) for _ in bench.ports]
    listener = lent[0]
    assert listener is not None
    with socket.create_connection((HOST, listener.port)):
        bench.pool.give_back(listener, used=False)
    assert bench.pool.lend(HOST, peer=HOST) is listener


def test_who_asks_in_a_loop_uses_up_the_ports_only_for_itself(bench: Bench) -> None:
    while (listener := bench.pool.lend(HOST, peer="192.0.2.1")) is not None:
        bench.pool.give_back(listener, used=False)
    assert bench.pool.lend(HOST, peer="192.0.2.2") is not None
    assert bench.pool.lend(HOST, peer="192.0.2.1") is None


def test_only_so_many_listeners_stay_bound_as_there_are_descriptors_to_spare() -> None:
    bench = Bench(8, keep=2)
    for listener in [bench.lend() for _ in bench.ports]:
        bench.pool.give_back(listener, used=True)
    assert sum(_is_listening(port) for port in bench.ports) == 2
    assert {bench.lend().port for _ in bench.ports} == set(bench.ports)
    bench.close()


def test_a_port_offered_to_a_server_is_never_lent_early() -> None:
    bench = Bench(1, rest=REST)
    listener = bench.pool.lend(HOST, peer="192.0.2.1")
    assert listener is not None
    bench.pool.give_back(listener, used=True)
    assert bench.pool.lend(HOST, peer="192.0.2.2") is None
    bench.close()


def test_nothing_rests_where_nothing_was_lent(bench: Bench) -> None:
    assert bench.pool.next_free(HOST) is None
    assert bench.pool.lent == 0


def test_a_broken_listener_is_replaced(bench: Bench) -> None:
    listener = bench.lend()
    listener.sock.close()
    bench.pool.give_back(listener, used=True)
    bench.now += LATE
    assert {bench.lend().port for _ in bench.ports} == set(bench.ports)


def test_close_closes_every_listener_on_the_shelf(bench: Bench) -> None:
    listener = bench.lend()
    bench.pool.give_back(listener, used=True)
    bench.pool.close()
    assert listener.sock.fileno() == -1


def test_what_is_lent_outlives_the_closing_of_the_shelf(bench: Bench) -> None:
    lent = bench.lend()
    bench.pool.close()
    assert _is_listening(lent.port)
    assert bench.pool.lend(HOST) is None
    bench.pool.give_back(lent, used=False)
    assert not _is_listening(lent.port)


def test_ipv6_addresses_are_listened_at_too(bench: Bench) -> None:
    listener = bench.pool.lend("::1")
    assert listener is not None
    assert listener.sock.family == socket.AF_INET6


# Another range.


def test_another_range_is_lent_from_at_once_and_the_old_one_is_let_go() -> None:
    bench = Bench(4)
    low, high = bench.ports[:2], bench.ports[2:]
    bench.pool.adopt(low[0], low[-1], rest=0.0)
    lent = bench.lend()
    idle = bench.lend()
    bench.pool.give_back(idle, used=False)
    bench.pool.adopt(high[0], high[-1], rest=0.0)
    assert bench.pool.size == 2
    assert _is_listening(lent.port)
    assert {bench.lend().port for _ in high} == set(high)
    assert bench.pool.lend(HOST) is None
    bench.pool.give_back(lent, used=False)
    assert not _is_listening(lent.port)
    bench.now += LATE
    assert bench.pool.lend(HOST) is None
    bench.close()


def test_a_range_that_comes_back_has_each_port_once() -> None:
    bench = Bench(4)
    first, last = bench.ports[0], bench.ports[-1]
    resting, lent = bench.lend(), bench.lend()
    bench.pool.give_back(resting, used=False)
    bench.pool.adopt(last, last, rest=0.0)
    bench.pool.adopt(first, last, rest=0.0)
    others = {bench.lend().port, bench.lend().port}
    assert others == set(bench.ports) - {resting.port, lent.port}
    assert bench.pool.lend(HOST) is None
    bench.now += LATE
    assert bench.lend().port == resting.port
    assert bench.pool.lend(HOST) is None
    bench.close()


def test_what_is_lent_and_what_rests_is_busy() -> None:
    bench = Bench(4, rest=REST)
    first, _ = bench.lend(), bench.lend()
    assert bench.pool.busy(HOST) == 2
    bench.pool.give_back(first, used=True)
    assert bench.pool.busy(HOST) == 2
    bench.now += REST
    assert bench.pool.busy(HOST) == 1
    assert bench.pool.busy("127.0.0.9") == 0
    bench.close()
