"""Data connections, with a server whose every answer is scripted."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

from proxy.config import PortRange
from proxy.ops.doctor.data import DataVisit, Manner
from proxy.ops.doctor.seen import Data, Met
from proxy.ops.doctor.visit import greet
from proxy.ops.doctor.wire import ControlLine, Dialler, Purse
from tests.support import ports
from tests.support.misdeeds import says, sends_then
from tests.support.scripted import Scripted, Visit, scripted

PATIENCE = 20.0
SOON = 0.2


async def listed(
    server: Scripted,
    look: Callable[[DataVisit], Data],
    *,
    room: int | None = None,
    connect: float = PATIENCE,
) -> Data:
    """Greet, look in a thread, and hang up."""

    def visit() -> Data:
        line = ControlLine(socket.create_connection((server.host, server.port)))
        try:
            greet(line, PATIENCE)
            dialler = Dialler(Purse(room), patience=connect, source=None)
            return look(DataVisit(line, dialler, Manner(connect, PATIENCE)))
        finally:
            line.close()

    return await asyncio.to_thread(visit)


@pytest.mark.parametrize("close", ["fin", "reset"])
async def test_a_listing_over_pasv(close: str) -> None:
    async with scripted({b"/file": b""}) as server:
        data = await listed(server, lambda visit: visit.list_passively("PASV", close))
    assert (data.code, data.size, data.told) == (226, 6, server.host)
    assert data.server_closed_first
    assert not data.waits_for_us
    assert data.our_time_wait is False


async def test_a_server_without_epsv() -> None:
    async with scripted() as server:
        data = await listed(server, lambda visit: visit.list_passively("EPSV", "fin"))
    assert (data.is_agreed, data.attempt, data.reply) == (False, None, "502 No.")


async def test_the_told_address_is_noted_and_the_servers_own_is_used() -> None:
    async with scripted() as server:

        async def lie(visit: Visit, argument: bytes) -> None:
            high, low = divmod(visit.listen(), 256)
            await visit.say(f"227 Entering (192,168,1,1,{high},{low}).")

        server.always["PASV"] = lie
        data = await listed(server, lambda visit: visit.list_passively("PASV", "fin"))
    assert (data.told, data.code) == ("192.168.1.1", 226)


async def test_a_port_at_which_nobody_listens() -> None:
    async with scripted() as server:
        server.always["PASV"] = says("227 Entering (127,0,0,1,0,9).")
        data = await listed(server, lambda visit: visit.list_passively("PASV", "fin"))
    assert data.attempt is not None
    assert data.attempt.met is Met.REFUSAL
    assert (data.code, server.count("LIST")) == (0, 0)


async def test_a_listing_that_is_refused() -> None:
    async with scripted() as server:
        server.always["LIST"] = says("550 Permission denied.")
        data = await listed(server, lambda visit: visit.list_passively("PASV", "fin"))
    assert (data.code, data.words, data.is_connected) == (550, "Permission denied.", True)


async def test_a_listing_that_breaks_off() -> None:
    async with scripted() as server:
        server.always["LIST"] = sends_then(b"half", "426 Broken.", reset=True)
        data = await listed(server, lambda visit: visit.list_passively("PASV", "fin"))
    assert (data.code, data.server_closed_first) == (426, False)


async def test_a_server_that_waits_for_our_close() -> None:
    async with scripted() as server:

        async def wait(visit: Visit, argument: bytes) -> None:
            await visit.say("150 Here it comes.")
            with await visit.data() as sock:
                sock.shutdown(socket.SHUT_WR)
                await asyncio.get_running_loop().sock_recv(sock, 1)
            await visit.say("226 Done.")

        server.always["LIST"] = wait
        data = await listed(server, lambda visit: visit.list_passively("PASV", "fin"))
    assert (data.code, data.waits_for_us) == (226, True)


@pytest.fixture
def range_of_ports() -> PortRange:
    window = ports.lend()
    ports.give_back(window)
    return PortRange(window[0], window[-1])


async def test_the_server_connects_to_us(range_of_ports: PortRange) -> None:
    async with scripted({b"/file": b""}) as server:
        data = await listed(server, lambda visit: visit.list_actively(range_of_ports))
    assert (data.verb, data.code, data.size) == ("PORT", 226, 6)
    assert data.attempt is not None
    assert data.attempt.port in range(range_of_ports.first, range_of_ports.last + 1)


async def test_a_server_that_does_not_know_port(range_of_ports: PortRange) -> None:
    async with scripted() as server:
        server.always["PORT"] = says("500 Illegal PORT command.")
        data = await listed(server, lambda visit: visit.list_actively(range_of_ports))
    assert (data.is_agreed, data.attempt) == (False, None)


@pytest.mark.parametrize("texts", [("425 Cannot connect.",), ("150 Trying.", "425 Cannot.")])
async def test_a_server_that_cannot_connect_to_us(
    texts: tuple[str, ...], range_of_ports: PortRange
) -> None:
    async with scripted() as server:
        server.always["LIST"] = says(*texts)
        data = await listed(server, lambda visit: visit.list_actively(range_of_ports), connect=SOON)
    assert data.attempt is not None
    assert (data.attempt.met, data.code) == (Met.SILENCE, 425)


async def test_a_full_budget_opens_no_data_connection(range_of_ports: PortRange) -> None:
    async with scripted() as server:
        for look in (
            lambda visit: visit.list_passively("PASV", "fin"),
            lambda visit: visit.list_actively(range_of_ports),
        ):
            data = await listed(server, look, room=0)
            assert data.attempt is not None
            assert data.attempt.met is Met.NO_ROOM
    assert server.data_connections == 0
