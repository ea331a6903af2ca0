"""Lend windows of ports to the proxies of this test run; no other run on this machine gets them."""

from __future__ import annotations

import os
import socket

WINDOW = 500
# Below the ports that loadtest/ports.py tells, that house.py uses, and that the kernel lends.
FIRST, END = 5_000, 22_000

_claims: dict[int, socket.socket] = {}
_free: list[int] = []


def lend() -> range:
    """Return a window of ports that nobody else uses until it is given back."""
    return range(first := _free.pop() if _free else _claim(), first + WINDOW)


def give_back(window: range) -> None:
    """Let the next proxy of this run have it."""
    _free.append(window.start)


def _claim() -> int:
    windows = range(FIRST, END, WINDOW)
    for turn in range(len(windows)):
        # Runs begin at different places, so that they seldom knock at each other's doors.
        first = windows[(os.getpid() + turn) % len(windows)]
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # An abstract name: the kernel forgets it with the process, whatever ends that.
            claim.bind(f"\0ftpweir-tests-{first}")
        except OSError:
            claim.close()
            continue
        _claims[first] = claim
        return first
    raise RuntimeError("all windows of ports are in use: too many test runs side by side")
