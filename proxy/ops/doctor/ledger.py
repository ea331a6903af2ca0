"""What the state file says of the budget, without touching it: its proxy may be running."""

from __future__ import annotations

import os
from pathlib import Path

from proxy.config import Config
from proxy.shaping.ledger import Kind
from proxy.store.journal import glance

from .seen import Ledger


def look_at_ledgers(config: Config, clock: float) -> tuple[Ledger, ...]:
    """Read the state file of every egress address; none where no budget is kept."""
    if config.state is None or config.budget.enforce == "off":
        return ()
    sources = config.upstream.source_addresses
    names = [f"{config.state}.{source}" for source in sources] or [config.state]
    return tuple(_look(Path(name), config.budget.limit, clock) for name in names)


def _look(path: Path, limit: int, clock: float) -> Ledger:
    if path.exists() and not path.is_file():
        return Ledger(str(path), problem="it is no file")  # opening a pipe would wait for ever
    try:
        seen = glance(path, clock=clock)
    except OSError as problem:
        return Ledger(str(path), problem=problem.strerror or str(problem))
    if seen is None:
        return Ledger(str(path), problem=_why_not_here(path), limit=limit)
    if not seen.is_held and not os.access(path, os.W_OK):
        return Ledger(str(path), problem="this user may not write it")
    if seen.slots is None:
        # That is what the proxy will think of it, too.
        return Ledger(str(path), is_held=seen.is_held, is_believed=False, used=limit, limit=limit)
    # What was open when a proxy was killed counts as closed at the next start: nobody can say when.
    counting = [one for one in seen.slots if one.until is None or one.until > clock]
    ends = [one.until for one in counting if one.until is not None]
    return Ledger(
        str(path),
        is_held=seen.is_held,
        used=len(counting),
        limit=limit,
        had_data=sum(one.kind is not Kind.CONTROL for one in seen.slots),
        next_free=min(ends) - clock if ends else None,
    )


def _why_not_here(path: Path) -> str:
    """Tell why a file that is not there could not be made either; empty: it could."""
    folder = path.absolute().parent
    if not folder.is_dir():
        return f"{folder} is no directory"
    return "" if os.access(folder, os.W_OK) else f"{folder} is not writable for this user"
