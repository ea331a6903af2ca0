"""A cable with a delay: TUN devices in two namespaces, and a process that carries each packet late.

    python -m loadtest.bench.link NAMESPACE NAMESPACE SECONDS

Prints `ready` when both devices exist, ends when its standard input does. Needs no queueing
discipline in the kernel, loses nothing and keeps the order.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import struct
import sys
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Final

DEVICE: Final = "cable"
_CLONE_NEWNET: Final = 0x40000000
_TUNSETIFF: Final = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_LARGEST: Final = 65536
_libc = ctypes.CDLL(None, use_errno=True)


class Late:
    """Packets on their way, each due a fixed time after it came. Knows no clock and no device."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._packets: deque[tuple[float, int, bytes]] = deque()

    def put(self, packet: bytes, end: int, now: float) -> None:
        """Take a packet for one end of the cable."""
        self._packets.append((now + self._delay, end, packet))

    def take_due(self, now: float) -> list[tuple[int, bytes]]:
        """Return what has been under way for long enough, oldest first: (end, packet)."""
        due: list[tuple[int, bytes]] = []
        while self._packets and self._packets[0][0] <= now:
            _, end, packet = self._packets.popleft()
            due.append((end, packet))
        return due

    def wait(self, now: float) -> float | None:
        """Return the seconds until the next one is due; None when there is none."""
        return max(0.0, self._packets[0][0] - now) if self._packets else None


def carry(ends: tuple[int, int], delay: float, until_closed: int) -> None:
    """Carry packets between two TUN descriptors until the third descriptor is at its end."""
    late = Late(delay)
    other = {ends[0]: ends[1], ends[1]: ends[0]}
    while True:
        readable, _, _ = select.select([*ends, until_closed], [], [], late.wait(time.monotonic()))
        now = time.monotonic()
        for end in readable:
            if end == until_closed:
                return
            late.put(os.read(end, _LARGEST), other[end], now)
        for end, packet in late.take_due(time.monotonic()):
            with suppress(OSError):  # a device that is not up yet hears nothing
                os.write(end, packet)


def open_device(namespace: str) -> int:
    """Make a TUN device in a namespace and return its descriptor; this process stays there."""
    with Path("/run/netns", namespace).open() as place:
        if _libc.setns(place.fileno(), _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH", DEVICE.encode(), _IFF_TUN | _IFF_NO_PI))
    return device


def main() -> None:
    """Be the cable."""
    one, other, delay = sys.argv[1:]
    ends = open_device(one), open_device(other)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    carry(ends, float(delay), sys.stdin.fileno())


if __name__ == "__main__":
    main()
