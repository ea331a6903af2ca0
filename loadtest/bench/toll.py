"""The processor time of a process and all its descendants, from /proc.

To the nanosecond for those that live, to the kernel's tick for those that have ended.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

_PROC = Path("/proc")
_TICK = 1 / os.sysconf("SC_CLK_TCK")


def tolls(roots: Iterable[int]) -> list[float]:
    """Return, for each process, the seconds that it and its descendants have used."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (parent := _parent(entry)) is not None:
            children[parent].append(int(entry.name))
    return [_family(root, children) for root in roots]


def _family(root: int, children: dict[int, list[int]]) -> float:
    return _own(root) + sum(_family(child, children) for child in children[root])


def _parent(process: Path) -> int | None:
    try:
        return int(_numbers(process)[1])
    except (OSError, ValueError):
        return None


def _own(pid: int) -> float:
    try:
        process = _PROC / str(pid)
        threads = list((process / "task").iterdir())
        buried = sum(map(int, _numbers(process)[13:15])) * _TICK
        return sum(int((it / "schedstat").read_text().split()[0]) for it in threads) / 1e9 + buried
    except OSError:
        return 0.0  # it has just ended


def _numbers(process: Path) -> list[str]:
    """Return what stands behind the name, which is in brackets and may contain anything."""
    return (process / "stat").read_text().rpartition(")")[2].split()
