"""Two network namespaces joined by a cable, the server's side behind an nftables firewall. As root.

Nothing outside the two is changed; both vanish with the lab, and with them their sockets, firewall
rules and connection tracking.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

# A user's PATH often lacks the folders where nft, ip and conntrack live.
SEARCH_PATH = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
NEEDED = ("ip", "nft", "conntrack", "sysctl")

# Drops silently, as CSF does by default: the client meets no error, only timeouts. The second rule
# asks for the state, which makes the kernel track connections in this namespace.
FIREWALL = """
table inet firewall {
  set banned { type ipv4_addr; flags timeout; }
  chain input {
    type filter hook input priority 0
    ip saddr @banned drop
    ct state new counter
  }
  chain output {
    type filter hook output priority 0
    ct state new counter
  }
}
"""

_serial = itertools.count(1)


class LabUnavailable(Exception):
    """This machine or this user cannot have a lab; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Side:
    """One namespace with its address on the cable."""

    name: str
    address: str
    anchor: int  # a process that does nothing, whose /proc entry shows this namespace's sockets

    def inside(self, *command: str) -> list[str]:
        """Return the command that runs `command` in here."""
        return [program("ip"), "netns", "exec", self.name, *command]

    def run(self, *command: str, text: str | None = None) -> str:
        """Run a command in here to its end; return what it printed."""
        return subprocess.run(
            self.inside(*command), input=text, capture_output=True, text=True, check=True
        ).stdout

    def raise_link(self, device: str) -> None:
        """Give a device of this namespace our address, and switch it on."""
        _ip("-n", self.name, "address", "add", f"{self.address}/24", "dev", device)
        _ip("-n", self.name, "link", "set", device, "up")

    def setting(self, key: str, value: int | str) -> None:
        """Set a sysctl of this namespace."""
        self.run(program("sysctl"), "-q", "-w", f"{key}={value}")


@dataclass(frozen=True, slots=True)
class Lab:
    """Both sides. The firewall stands on the server's."""

    client: Side
    server: Side

    def ban(self, address: str, seconds: float) -> None:
        """Drop everything from an address for so long; a ban in force is not prolonged."""
        element = f"{{ {address} timeout {max(1, round(seconds))}s }}"
        self.server.run(program("nft"), "add", "element", "inet", "firewall", "banned", element)

    def banned(self) -> set[str]:
        """Return the addresses that are banned now."""
        told = self.server.run(program("nft"), "list", "set", "inet", "firewall", "banned")
        _, _, elements = told.partition("elements = {")
        return {element.split()[0] for element in elements.split("}")[0].split(",") if element}


def missing() -> str | None:
    """Tell what keeps us from having a lab; None: nothing does."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    lacking = [name for name in NEEDED if shutil.which(name, path=SEARCH_PATH) is None]
    return f"{', '.join(lacking)} must be installed" if lacking else None


def program(name: str) -> str:
    """Return the path of an installed program."""
    found = shutil.which(name, path=SEARCH_PATH)
    if found is None:
        raise LabUnavailable(f"{name} must be installed")
    return found


@contextmanager
def lab() -> Iterator[Lab]:
    """Have a lab while the block lasts."""
    with two_sides() as pair:
        plug_in(pair)
        pair.server.run(program("nft"), "-f", "-", text=FIREWALL)
        yield pair


@contextmanager
def two_sides() -> Iterator[Lab]:
    """Have both sides, with no cable and no firewall between them."""
    if lacking := missing():
        raise LabUnavailable(lacking)
    serial = next(_serial)
    network = f"10.214.{serial % 256}"
    with ExitStack() as undo:
        client = undo.enter_context(_side(f"wall-c-{os.getpid()}-{serial}", f"{network}.1"))
        server = undo.enter_context(_side(f"wall-s-{os.getpid()}-{serial}", f"{network}.2"))
        yield Lab(client, server)


def plug_in(pair: Lab) -> None:
    """Join both sides by a cable without delay."""
    # Born in the namespaces, so the names need not be unique and never show outside.
    _ip(
        *("link", "add", "cable", "netns", pair.client.name, "type", "veth"),
        *("peer", "name", "cable", "netns", pair.server.name),
    )
    for side in (pair.client, pair.server):
        side.raise_link("cable")


@contextmanager
def _side(name: str, address: str) -> Iterator[Side]:
    _ip("netns", "add", name)
    try:
        _ip("-n", name, "link", "set", "lo", "up")
        anchor = subprocess.Popen([program("ip"), "netns", "exec", name, "sleep", "infinity"])
        try:
            yield Side(name, address, anchor.pid)
        finally:
            anchor.kill()
            anchor.wait()
    finally:
        _ip("netns", "del", name)


def _ip(*arguments: str) -> None:
    subprocess.run([program("ip"), *arguments], check=True, capture_output=True, text=True)
