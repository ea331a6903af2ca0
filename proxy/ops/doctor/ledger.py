"""What the state file says of the budget, without touching it: its proxy may be running."""

from __future__ import annotations

import os
from pathlib import Path

from proxy.config import Config
from proxy.shaping.ledger import Kind
from proxy.store.journal import Glance, glance

from .seen import Ledger


def look_at_ledgers(config: Config, now: float) -> tuple[Ledger, ...]:
    """Read the state file of every way to a server; none where no budget is kept."""
    if config.budget.enforce == "off":
        return ()
    return tuple(_look(Path(file), config.budget.limit, now) for file in config.state_files)


def _look(path: Path, limit: int, now: float) -> Ledger:
    try:
        if path.exists() and not path.is_file():
            return Ledger(str(path), problem="it is no file")  # opening a pipe would never end
        seen = glance(path, now=now)
    except OSError as problem:
        words = problem.strerror or str(problem)
        return Ledger(str(path), words, is_denied=isinstance(problem, PermissionError))
    if seen is None:
        return _not_here(path, limit)
    return _told(path, seen, limit, now)


def _not_here(path: Path, limit: int) -> Ledger:
    """Tell whether a file that is not there could be made."""
    folder = path.absolute().parent
    if not folder.is_dir():
        return Ledger(str(path), f"{folder} is no directory")
    if not os.access(folder, os.W_OK):
        return Ledger(str(path), f"{folder} is not writable for this user", is_denied=True)
    return Ledger(str(path), limit=limit)


def _told(path: Path, seen: Glance, limit: int, now: float) -> Ledger:
    # What was open when a proxy was killed counts as closed at the next start: nobody can say when.
    slots = seen.slots or []
    counting = [one for one in slots if one.until is None or one.until > now]
    ends = [one.until for one in counting if one.until is not None]
    is_believed = seen.slots is not None
    is_denied = not seen.is_held and not os.access(path, os.W_OK)
    return Ledger(
        str(path),
        "this user may not write it" if is_denied else "",
        is_denied=is_denied,
        is_held=seen.is_held,
        is_believed=is_believed,
        used=len(counting) if is_believed else limit,  # as the proxy will count it, too
        limit=limit,
        had_data=sum(one.kind is not Kind.CONTROL for one in slots),
        next_free=min(ends) - now if ends else None,
    )
