"""What follows from the shared store."""

from __future__ import annotations

import pytest

from proxy.ops.doctor.finding import Weight
from proxy.ops.doctor.of_store import of_store
from proxy.ops.doctor.seen import Seen, Store

PLACE = "store.example.com:6379"
LEASE = 60.0
OOM = "OOM command not allowed when used memory > 'maxmemory'."


def good(**other: object) -> Store:
    known: dict[str, object] = {"engine": "Redis", "version": "7.0.15", "eviction": "noeviction"}
    return Store(PLACE, **{**known, **other})  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    ("store", "found"),
    [
        (None, []),
        (good(), []),
        (good(version="", engine="", eviction=""), []),  # it may not be asked
        (good(engine="Valkey", version="8.0.1"), []),
        (Store(PLACE, "Connection refused", is_there=False), ["store_unreachable"]),
        (Store(PLACE, "WRONGPASS", is_there=False, is_denied=True), ["store_denied"]),
        (good(problem="READONLY", is_replica=True), ["store_replica"]),
        (good(problem=OOM, is_full=True), ["store_full"]),
        (good(problem="Write commands", version="4.0.9"), ["store_old"]),
        (good(problem="LOADING Redis is loading"), ["store_unfit"]),
        (good(memory_limit=1 << 20, eviction="allkeys-lru"), ["store_evicts"]),
        (good(memory_limit=0, eviction="allkeys-lru"), []),
        (good(seconds=0.2), ["store_slow"]),
        (good(clock_ahead=-LEASE - 1), ["store_clock"]),
        (good(clock_ahead=LEASE - 1), []),
    ],
)
def test_each_trouble_has_its_name(store: Store | None, found: list[str]) -> None:
    assert [one.cause.code for one in of_store(LEASE, Seen(store=store))] == found


def test_what_keeps_all_from_working_weighs_most() -> None:
    (found,) = of_store(LEASE, Seen(store=Store(PLACE, "timed out", is_there=False)))
    assert found.cause.weight is Weight.PROBLEM
    assert found.evidence == f"{PLACE}: timed out"


def test_a_clock_is_told_with_its_direction() -> None:
    (found,) = of_store(LEASE, Seen(store=good(clock_ahead=-100.0)))
    assert found.evidence == "it is 100 s behind this machine's"
