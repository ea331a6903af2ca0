"""How many files and sockets a process may have open. Ten thousand sessions need as many."""

from __future__ import annotations

import resource


def as_many_as_allowed() -> int:
    """Raise our own limit to the most the system grants, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
