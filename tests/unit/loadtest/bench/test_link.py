"""A cable's delay."""

from __future__ import annotations

from loadtest.bench.link import Late

HERE, THERE = 3, 4


def test_nothing_arrives_before_its_time() -> None:
    late = Late(0.01)
    late.put(b"one", THERE, 5.0)
    assert late.take_due(5.009) == []
    assert late.take_due(5.01) == [(THERE, b"one")]


def test_packets_of_both_directions_keep_their_order() -> None:
    late = Late(0.01)
    late.put(b"one", THERE, 5.000)
    late.put(b"two", HERE, 5.001)
    late.put(b"three", THERE, 5.002)
    assert late.take_due(5.0115) == [(THERE, b"one"), (HERE, b"two")]
    assert late.take_due(5.5) == [(THERE, b"three")]


def test_an_empty_cable_waits_for_no_time() -> None:
    late = Late(0.01)
    assert late.wait(5.0) is None
    late.put(b"one", THERE, 5.0)
    assert late.wait(5.25) == 0.0
    late.take_due(5.25)
    assert late.wait(5.25) is None
