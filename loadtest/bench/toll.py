"""The processor time of a process and all its descendants, to the nanosecond, from /proc."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

_PROC = Path("/proc")


def tolls(roots: Iterable[int]) -> list[float]:
    """Return, for each process, the seconds that it and its living descendants have used."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (parent := _parent(entry)) is not None:
            children[parent].append(int(entry.name))
    return [_family(root, children) for root in roots]


def _family(root: int, children: dict[int, list[int]]) -> float:
    return _own(root) + sum(_family(child, children) for child in children[root])


def _parent(process: Path) -> int | None:
    try:
        # The name in brackets may contain anything; the numbers begin behind the last bracket.
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError):
        return None


def _own(pid: int) -> float:
    try:
        threads = list((_PROC / str(pid) / "task").iterdir())
        return sum(int((it / "schedstat").read_text().split()[0]) for it in threads) / 1e9
    except OSError:
        return 0.0  # it has just ended
