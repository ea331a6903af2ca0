"""Lend windows of ports to the proxies of this test run; no other run on this machine gets them."""

from __future__ import annotations

from loadtest.ports import FIRST as END
from loadtest.ports import claim

WINDOW = 500
# Below the ports that free_port tells and those that the kernel lends.
FIRST = 5_000

_free: list[int] = []


def lend() -> range:
    """Return a window of ports that nobody else uses until it is given back."""
    return range(first := _free.pop() if _free else _claimed(), first + WINDOW)


def give_back(window: range) -> None:
    """Let the next proxy of this run have it."""
    _free.append(window.start)


def _claimed() -> int:
    for first in range(FIRST, END, WINDOW):
        if claim(first):
            return first
    raise RuntimeError("all windows of ports are in use: too many test runs side by side")
