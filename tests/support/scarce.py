"""A process that may open nothing more, for the length of a block."""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Iterator


@contextlib.contextmanager
def at_most_descriptors(count: int) -> Iterator[None]:
    """Let a new descriptor have no number from `count` on; what is open stays open."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@contextlib.contextmanager
def no_descriptor_left() -> Iterator[None]:
    """Refuse every new one."""
    lowest = os.dup(0)
    os.close(lowest)
    with at_most_descriptors(lowest):
        yield
