"""The demo's server: pyftpdlib with few sessions per address and, on request, its own firewall.

    python -m loadtest.lab.server < wishes

The emulated firewall reads the kernel's real socket table for this server's ports, as lfd would,
and once an address is over the limit nothing it says is ever answered again. That needs no root.
Prints a line of JSON when it serves, and one each time the count changes.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

from .scanner import EVERY, Scanner

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it needs what Python 3.12 removed
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import DTPHandler, FTPHandler
    from pyftpdlib.servers import FTPServer

USER = PASSWORD = "demo"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the server shall be."""

    host: str
    port: int
    passive_ports: tuple[int, int]
    folder: str
    sessions: int  # that one address may have
    limit: int | None  # of the emulated firewall; None: there is none


class Silence:
    """Those who are never answered again."""

    def __init__(self) -> None:
        self.addresses: set[str] = set()
        self._kept: list[Any] = []  # a forgotten socket would be closed, and that is an answer

    def fall(self, address: str, ioloop: Any) -> None:
        """Stop reading and writing on every connection of an address."""
        self.addresses.add(address)
        for channel in list(ioloop.socket_map.values()):
            if getattr(channel, "remote_ip", None) == address or (
                isinstance(channel, DTPHandler) and channel.cmd_channel.remote_ip == address
            ):
                ioloop.unregister(channel._fileno)
                self._kept.append(channel)

    def swallow(self, sock: Any) -> None:
        """Keep a new connection, and say nothing."""
        self._kept.append(sock)

    def covers(self, channel: Any) -> bool:
        """Tell whether a connection is one of those."""
        return any(channel is kept for kept in self._kept)


class Data(DTPHandler):  # type: ignore[misc]  # pyftpdlib has no types
    """One data connection."""

    silence: ClassVar[Silence]

    def modify_ioloop_events(self, *args: Any, **kwargs: Any) -> None:
        """Stay out of the loop once banned."""
        if not self.silence.covers(self):
            super().modify_ioloop_events(*args, **kwargs)


class Control(FTPHandler):  # type: ignore[misc]  # pyftpdlib has no types
    """One session."""

    dtp_handler = Data
    banner = "demo server"


class Server(FTPServer):  # type: ignore[misc]  # pyftpdlib has no types
    """Accepts, but for those who are banned."""

    silence: ClassVar[Silence]

    def handle_accepted(self, sock: Any, addr: Any) -> Any:
        """Swallow a banned address's connection."""
        if addr[0] in self.silence.addresses:
            self.silence.swallow(sock)
            return None
        return super().handle_accepted(sock, addr)


def main() -> None:
    """Serve until terminated."""
    wishes = Wishes(**json.load(sys.stdin))
    # With a handler of its own pyftpdlib leaves the log to us; the demo shows what matters.
    logging.getLogger("pyftpdlib").addHandler(logging.NullHandler())
    logging.getLogger("pyftpdlib").propagate = False
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, wishes.folder, perm="elr")
    first, last = wishes.passive_ports
    Control.authorizer = authorizer
    Control.passive_ports = range(first, last + 1)
    silence = Server.silence = Data.silence = Silence()
    server = Server((wishes.host, wishes.port), Control)
    server.max_cons = 0
    server.max_cons_per_ip = wishes.sessions
    if wishes.limit is not None:
        _emulate_firewall(server, silence, wishes, wishes.limit)
    _say({"port": server.address[1]})
    server.serve_forever(handle_exit=False)


def _emulate_firewall(server: Any, silence: Silence, wishes: Wishes, limit: int) -> None:
    first, last = wishes.passive_ports
    scanner = Scanner(
        "self",
        limit=limit,
        ban=lambda address: silence.fall(address, server.ioloop),
        is_ours=lambda port: port == server.address[1] or first <= port <= last,
    )

    def look() -> None:
        before = scanner.most, len(scanner.banned)
        scanner.look()
        if before != (scanner.most, len(scanner.banned)):
            _say({"most": scanner.most, "banned": sorted(scanner.banned)})

    server.ioloop.call_every(EVERY, look)


def _say(told: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
