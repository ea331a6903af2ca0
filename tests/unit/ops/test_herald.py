"""Everybody is told, and nobody who announces learns how the listeners fare."""

from __future__ import annotations

import errno

from proxy.events import Event, Fault
from proxy.ops.herald import Herald

from .examples import REFUSED


def stumbles(event: Event) -> None:
    """Meet a mistake of ours, whatever is told."""
    raise ZeroDivisionError("by nought")


def test_a_listener_that_stumbles_keeps_the_others_from_nothing_and_its_fault_is_told() -> None:
    heard: list[Event] = []
    herald = Herald(first=stumbles, second=stumbles, last=heard.append)
    herald(REFUSED)
    *faults, event = heard
    assert event == REFUSED
    assert [fault.where for fault in faults if isinstance(fault, Fault)] == [
        "listener: first",
        "listener: second",
    ]
    # Each has missed the event, and the faults of both.
    assert herald.missed == {("first",): 3, ("second",): 3, ("last",): 0}


def test_a_full_disk_is_counted_and_no_fault_of_ours() -> None:
    def is_full(event: Event) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    heard: list[Event] = []
    herald = Herald(log=is_full)
    herald.add("late", heard.append)
    herald(REFUSED)
    assert heard == [REFUSED]
    assert herald.missed == {("log",): 1, ("late",): 0}
