"""What follows from the shared store, where one is configured. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from .causes import CAUSES
from .finding import Finding
from .seen import Seen, Store

OLDEST = 5  # earlier ones may not look at their clock and then write
SLOW = 0.05  # seconds: a transfer that needs what we do not own waits so long
NEVER_EVICTS = ("", "noeviction")


def of_store(lease: float, seen: Seen) -> Iterator[Finding]:
    """Conclude from the store alone."""
    if (store := seen.store) is None:
        return
    evidence = f"{store.place}: {store.problem}"
    if store.is_replica:
        yield Finding(CAUSES["store_replica"], f"{store.place} says that it is a replica")
    elif store.is_denied:
        yield Finding(CAUSES["store_denied"], evidence)
    elif not store.is_there:
        yield Finding(CAUSES["store_unreachable"], evidence)
    elif store.is_full:
        yield Finding(CAUSES["store_full"], evidence)
    elif _major(store) < OLDEST:
        yield Finding(CAUSES["store_old"], f"{store.place} is {store.engine} {store.version}")
    elif store.problem:
        yield Finding(CAUSES["store_unfit"], evidence)
    if store.memory_limit and store.eviction not in NEVER_EVICTS:
        words = f"maxmemory {store.memory_limit}, maxmemory-policy {store.eviction}"
        yield Finding(CAUSES["store_evicts"], f"{store.place}: {words}")
    if store.seconds > SLOW:
        evidence = f"{store.place}: a question takes {1000 * store.seconds:.0f} ms"
        yield Finding(CAUSES["store_slow"], evidence)
    if abs(store.clock_ahead) > lease:
        way = "ahead of" if store.clock_ahead > 0 else "behind"
        evidence = f"it is {abs(store.clock_ahead):.0f} s {way} this machine's"
        yield Finding(CAUSES["store_clock"], evidence)


def _major(store: Store) -> int:
    first = store.version.partition(".")[0]
    return int(first) if first.isdecimal() else OLDEST
