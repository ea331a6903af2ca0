"""What the service manager is told: systemd's protocol is one datagram of lines (sd_notify(3)).

Without NOTIFY_SOCKET nothing is sent. A manager that does not listen is no reason to end.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Mapping

from proxy.phase import Phase

EVERY = 10.0  # seconds between two words, where no watchdog asks for them sooner


class ServiceManager:
    """Whoever started this process and wants to know how it is."""

    def __init__(self, environ: Mapping[str, str], pid: int) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the zero byte of Linux' abstract names.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._watchdog = _watchdog(environ, pid)
        self._is_ending = False

    @property
    def is_there(self) -> bool:
        """Tell whether anybody wants to know."""
        return bool(self._address)

    @property
    def every(self) -> float:
        """Seconds between two words: the manager gives up after three that did not come."""
        return self._watchdog / 3 if self._watchdog else EVERY

    def tell(self, *lines: str) -> None:
        """Send these lines."""
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.sendto("\n".join(lines).encode(), self._address)

    def entered(self, phase: Phase) -> None:
        """Tell what the proxy is doing now."""
        self._is_ending = phase.is_ending
        match phase:
            case Phase.SERVING:
                self.tell("READY=1", "STATUS=serving")
            case Phase.RELOADING:
                # Without the time a reload that takes long is taken for one that never came.
                self.tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
            case Phase.STOPPING:
                self.tell("STOPPING=1", "STATUS=ending")
            case Phase.STARTING | Phase.DRAINING | Phase.OVER:
                pass

    async def keep_told(self, is_sound: Callable[[], bool], status: Callable[[], str]) -> None:
        """Say again and again how it is; the watchdog hears of it only while it is well."""
        while self.is_there:
            due = time.monotonic() + self.every
            await asyncio.sleep(self.every)
            is_late = time.monotonic() - due > self.every
            self.report(is_sound() and not is_late, status())

    def report(self, is_sound: bool, status: str) -> None:
        """Say how it is."""
        lines = [f"STATUS={status}"]
        if self._watchdog and is_sound:
            lines.append("WATCHDOG=1")
        if self._is_ending:
            lines.append(f"EXTEND_TIMEOUT_USEC={round(3 * self.every * 1e6)}")
        self.tell(*lines)


def _watchdog(environ: Mapping[str, str], pid: int) -> float:
    """Return after how many seconds of silence the manager gives us up; 0.0: it does not."""
    if environ.get("WATCHDOG_PID", str(pid)) != str(pid):
        return 0.0
    length = environ.get("WATCHDOG_USEC", "")
    return int(length) / 1e6 if length.isdecimal() else 0.0
