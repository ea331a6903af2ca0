"""Two network namespaces joined by a cable: a client's side and a server's side. Needs root.

Nothing outside the two is changed; both vanish with the lab, and with them all their sockets,
firewall rules and connection tracking.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import subprocess
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from loadtest.lab.flows import compress
from loadtest.lab.namespaces import Side

from . import sockets
from .programs import need_root, program

Found = TypeVar("Found")

CLONE_NEWNET: Final = 0x40000000
_serial = itertools.count(1)
_libc = ctypes.CDLL(None, use_errno=True)

# One rule that asks for the state makes the kernel track connections in this namespace.
TRACK = """
table inet lab {
  chain watch {
    type filter hook input priority 0
    ct state new counter
  }
  chain sent {
    type filter hook output priority 0
    ct state new counter
  }
}
"""

BAN = """
table inet bans {{
  chain input {{
    type filter hook input priority -10
    ip saddr {} drop
  }}
}}
"""


class Namespace:
    """One network namespace with a loopback and, in a lab, one cable."""

    def __init__(self, name: str, address: str) -> None:
        self.name = name
        self.address = address
        _ip("netns", "add", name)
        _ip("-n", name, "link", "set", "lo", "up")
        # A process that does nothing keeps /proc/PID/net open for reading.
        self._anchor = subprocess.Popen(self.inside(["sleep", "infinity"]))

    @property
    def side(self) -> Side:
        """The same, as the firewall lab knows it."""
        return Side(self.name, self.address, self._anchor.pid)

    def inside(self, command: list[str]) -> list[str]:
        """Return the command that runs `command` in here."""
        return [program("ip"), "netns", "exec", self.name, *command]

    def run(self, *command: str, text: str | None = None) -> str:
        """Run a command in here to its end and return what it printed."""
        return subprocess.run(
            self.inside(list(command)), input=text, capture_output=True, text=True, check=True
        ).stdout

    def do(self, deed: Callable[[], Found]) -> Found:
        """Return what `deed()` returns, called in here: a socket made by it stays in here."""
        return inside(self.name, deed)

    def setting(self, key: str, value: int | str) -> None:
        """Set a sysctl of this namespace."""
        self.run("sysctl", "-q", "-w", f"{key}={value}")

    def track_connections(self, hold: int) -> None:
        """Make the kernel track connections; however one ended, it still counts for `hold` s."""
        self.run("nft", "-f", "-", text=TRACK)
        compress(self.side, hold)

    def ban(self, address: str) -> None:
        """Drop everything from an address, silently, as a firewall that has lost patience."""
        self.run("nft", "-f", "-", text=BAN.format(address))

    def sockets(self) -> frozenset[sockets.Socket]:
        """Return the TCP sockets in here."""
        return sockets.table(self._anchor.pid)

    def count(self, *, local_port: int | None = None, states: frozenset[int] | None = None) -> int:
        """Count TCP sockets in here; without states all but listeners, TIME_WAIT included."""
        wanted = sockets.CONNECTIONS if states is None else states
        return sockets.count(self._anchor.pid, local_port=local_port, states=wanted)

    def close(self) -> None:
        """Remove the namespace."""
        self._anchor.kill()
        self._anchor.wait()
        _ip("netns", "del", self.name)


class Lab:
    """Both sides and the cable between them; a context manager."""

    def __init__(self, *, hold: int | None = None) -> None:
        need_root("a network namespace")
        self._hold = hold  # seconds; None: nobody tracks connections

    def __enter__(self) -> Self:
        serial = next(_serial)
        with ExitStack() as undo:
            self.client = Namespace(f"weir-c-{os.getpid()}-{serial}", f"10.213.{serial % 256}.1")
            undo.callback(self.client.close)
            self.server = Namespace(f"weir-s-{os.getpid()}-{serial}", f"10.213.{serial % 256}.2")
            undo.callback(self.server.close)
            client, server = self.client, self.server
            plug("cable", (client, f"{client.address}/24"), (server, f"{server.address}/24"))
            if self._hold is not None:
                self.server.track_connections(self._hold)
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._undo.close()


def plug(cable: str, one: tuple[Namespace, str], other: tuple[Namespace, str]) -> None:
    """Join two namespaces by a cable; each end has an address, as in "192.0.2.1/24"."""
    # Born in the namespaces, so the names need not be unique and never show outside.
    _ip(
        *("link", "add", cable, "netns", one[0].name, "type", "veth"),
        *("peer", "name", cable, "netns", other[0].name),
    )
    for side, address in (one, other):
        _ip("-n", side.name, "address", "add", address, "dev", cable)
        _ip("-n", side.name, "link", "set", cable, "up")


def inside(namespace: str, deed: Callable[[], Found]) -> Found:
    """Call `deed()` in a thread that has moved into the namespace."""
    results: list[Found] = []
    errors: list[BaseException] = []

    def move_and_do() -> None:
        try:
            with Path("/run/netns", namespace).open() as place:
                if _libc.setns(place.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
            results.append(deed())
        except BaseException as error:  # handed to the caller below, whatever it is
            errors.append(error)

    thread = threading.Thread(target=move_and_do)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def _ip(*arguments: str) -> None:
    subprocess.run([program("ip"), *arguments], check=True, capture_output=True, text=True)
