"""What one of several processes on this machine takes of the configuration for itself."""

from __future__ import annotations

from .addresses import PortRange
from .models import Config


class TooFew(Exception):
    """Something cannot be divided among so many; the message says what."""


def for_worker(config: Config, number: int, count: int) -> Config:
    """Return the configuration of worker `number` (from 0) of `count`.

    They share every listening address. Each has a part of the ports and a state file of its own;
    the first has the one that a single process would have. Raise TooFew.
    """
    changes: dict[str, object] = {
        "passive": config.passive.model_copy(
            update={"ports": _part("passive.ports", config.passive.ports, number, count)}
        ),
        "upstream": config.upstream.model_copy(
            update={"ports": _part("upstream.ports", config.upstream.ports, number, count)}
        ),
    }
    if config.state is not None and number:
        changes["state"] = f"{config.state}.worker{number + 1}"
    return config.model_copy(update=changes)


def _part(key: str, ports: PortRange, number: int, count: int) -> PortRange:
    size = len(ports) // count
    if not size:
        raise TooFew(
            f"{key} has {len(ports)} ports for {count} workers: each needs some of its own"
        )
    first = ports.first + number * size
    last = ports.last if number == count - 1 else first + size - 1
    return PortRange(first, last)
