"""Where clients come in: the listening sockets, opened and closed while others go on.

Knows what a listener's address is, and nothing of what happens behind it.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from proxy.config import Address, Listen

BACKLOG = 4096  # a cron minute brings thousands of scripts at once


class CannotListen(Exception):
    """An address of `listen` cannot be had; the message says which and why."""


Greet: TypeAlias = Callable[[], asyncio.BaseProtocol]  # makes the protocol of one client


class Door:
    """One listening socket at an address of the configuration; `greet` greets whoever knocks."""

    def __init__(self, address: Address, sock: socket.socket) -> None:
        self.address = address
        self.sock = sock
        self.greet: Greet
        # Where it really is: the kernel may have chosen the port.
        self.place = _place(sock)
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Let clients in."""
        if self._server is None and self.sock.fileno() != -1:
            # In two steps: who closes it while the second is waited for finds what to close.
            self._server = await asyncio.get_running_loop().create_server(
                lambda: self.greet(), sock=self.sock, backlog=BACKLOG, start_serving=False
            )
            await self._server.start_serving()

    def close(self) -> None:
        """Let nobody in any more; who is in stays."""
        if self._server is not None:
            self._server.close()
        self.sock.close()


class Doors:
    """All of them, in the order of the configuration; `greeter` tells who greets at a listener."""

    def __init__(
        self,
        greeter: Callable[[Listen], Greet],
        inherited: Sequence[socket.socket] = (),
        *,
        is_shared: bool = False,
    ) -> None:
        self._greeter = greeter
        self._is_shared = is_shared  # other processes listen there too; the kernel deals out
        self._inherited = tuple(inherited)
        self._doors: list[Door] = []

    @property
    def places(self) -> list[str]:
        """Where they are."""
        return [door.place for door in self._doors]

    def bind(self, listens: Sequence[Listen], *, claim_all: bool = False) -> list[Door]:
        """Return the doors for these listeners, those that are open already among them.

        Nobody is let in through a new one so far. Raise CannotListen, and change nothing, when an
        address cannot be had, or with `claim_all` when a socket was inherited that none names.
        """
        known = list(self._doors)
        doors: list[Door] = []
        try:
            for listen in listens:
                door = next(_at(listen.address, known), None)
                if door is not None:
                    known.remove(door)
                doors.append(door or Door(listen.address, self._bind(listen.address)))
            if claim_all:
                self._expect_claimed({door.place for door in doors})
        except CannotListen:
            self.abandon(doors)
            raise
        return doors

    def abandon(self, doors: Sequence[Door]) -> None:
        """Close those that `bind` made and nobody adopted."""
        for door in doors:
            if door not in self._doors:
                door.close()

    async def adopt(self, doors: list[Door], listens: Sequence[Listen]) -> None:
        """Open what `bind` returned for these listeners, and close every other door."""
        for door, listen in zip(doors, listens, strict=True):
            door.greet = self._greeter(listen)
        for door in self._doors:
            if door not in doors:
                door.close()
        self._doors = doors
        for door in doors:
            await door.open()

    def close(self) -> None:
        """Let nobody in any more."""
        for door in self._doors:
            door.close()

    def _expect_claimed(self, places: set[str]) -> None:
        if unclaimed := {_place(sock) for sock in self._inherited} - places:
            told = ", ".join(sorted(unclaimed))
            raise CannotListen(f"the service manager listens on {told}, which `listen` names not")

    def _bind(self, address: Address) -> socket.socket:
        family, place = _resolve(address)
        for sock in self._inherited:
            if sock.family == family and sock.getsockname()[:2] == place:
                # Ours may be closed and opened again by reloads: the original stays what it is.
                return sock.dup()
        return _listening(address, family, place, is_shared=self._is_shared)


def listening_at(address: Address) -> socket.socket:
    """Return a new socket that listens there; raise CannotListen."""
    return _listening(address, *_resolve(address))


def _listening(
    address: Address, family: int, place: tuple[str, int], *, is_shared: bool = False
) -> socket.socket:
    try:
        return socket.create_server(place, family=family, backlog=BACKLOG, reuse_port=is_shared)
    except OSError as problem:
        why = os.strerror(problem.errno or 0)
        raise CannotListen(f"cannot listen on {address}: {why}") from None


def _at(address: Address, doors: Sequence[Door]) -> Iterator[Door]:
    return (door for door in doors if door.address == address)


def _resolve(address: Address) -> tuple[int, tuple[str, int]]:
    try:
        family, _, _, _, place = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as problem:
        raise CannotListen(f"cannot listen on {address}: {problem.strerror}") from None
    return family, (str(place[0]), int(place[1]))


def _place(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return str(Address(host, port))
