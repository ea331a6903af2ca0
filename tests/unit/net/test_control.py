from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from proxy.ftp.lines import MAX_LINE, Malformed
from proxy.net.client_channel import ClientChannel
from proxy.net.control import (
    EACH,
    MOST_AHEAD,
    Disturbed,
)
from proxy.net.fault import Ended
from proxy.net.server_channel import ServerChannel
from tests.support.house import until
from tests.support.raw_client import RawClient, patiently, read_all, read_some
from tests.support.scripted import RESET

MOST_AT_ONCE = 256 * 1024  # that a loop reads


@asynccontextmanager
async def client_side() -> AsyncIterator[tuple[ClientChannel, RawClient]]:
    """A client's channel, and the client."""
    loop = asyncio.get_running_loop()
    opened: asyncio.Future[ClientChannel] = loop.create_future()
    server = await loop.create_server(lambda: ClientChannel(opened.set_result), "127.0.0.1", 0)
    async with RawClient.connected(server.sockets[0].getsockname()[1]) as client:
        channel = await opened
        yield channel, client
    channel.abort()
    assert await channel.wait_closed(5.0)
    server.close()


@asynccontextmanager
async def server_side() -> AsyncIterator[tuple[ServerChannel, socket.socket]]:
    """A channel to a server, and the server's end of it."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        _, channel = await loop.create_connection(ServerChannel, *address)
        peer, _ = listening.accept()
    peer.setblocking(False)
    with peer:
        yield channel, peer
    channel.abort()
    assert await channel.wait_closed(5.0)


async def test_lines_come_out_in_order_however_they_came_in() -> None:
    async with client_side() as (channel, client):
        await client.send(b"NO")
        await client.send(b"OP\r\nPWD\r\nQU")
        await client.send(b"IT\n")
        assert [await channel.next(5) for _ in range(3)] == [b"NOOP", b"PWD", b"QUIT"]


async def test_malformed_lines_come_out_as_such() -> None:
    async with client_side() as (channel, client):
        await client.send(b"x" * (MAX_LINE + 1) + b"\r\nA\0B\r\nNOOP\r\n")
        got = [await channel.next(5) for _ in range(3)]
        assert got == [Malformed.TOO_LONG, Malformed.NUL, b"NOOP"]


async def test_each_wait_has_its_own_patience_whatever_the_one_before_it_had() -> None:
    loop = asyncio.get_running_loop()
    async with client_side() as (channel, client):
        loop.call_soon(client.sock.send, b"NOOP\r\n")
        assert await channel.next(0.5) == b"NOOP"
        loop.call_later(0.6, client.sock.send, b"PWD\r\n")  # the first one's alarm has rung
        assert await channel.next(30) == b"PWD"
        with pytest.raises(TimeoutError):
            await channel.next(0.01)


async def test_both_addresses_are_known() -> None:
    async with client_side() as (channel, client):
        assert channel.peer == client.sock.getsockname()
        assert channel.local == client.sock.getpeername()
        assert channel.fileno >= 0


async def test_what_was_said_before_the_fin_is_still_read_and_answered() -> None:
    async with client_side() as (channel, client):
        await client.send(b"NOOP\r\n")
        client.sock.shutdown(socket.SHUT_WR)
        assert await channel.next(5) == b"NOOP"
        with pytest.raises(Ended):
            await channel.next(5)
        channel.write(b"200 Here.\r\n")
        await client.expect(200)


async def test_a_fin_has_no_fault_and_a_reset_has_one() -> None:
    for linger, has_fault in ((None, False), (RESET, True)):
        async with client_side() as (channel, client):
            if linger is not None:
                client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            client.sock.close()
            with pytest.raises(Ended):
                await channel.next(5)
            assert bool(channel.fault) is has_fault


async def test_silence_is_a_timeout_and_no_end() -> None:
    async with client_side() as (channel, client):
        with pytest.raises(TimeoutError):
            await channel.next(0.001)
        await client.send(b"NOOP\r\n")
        assert await channel.next(5) == b"NOOP"


async def test_a_disturbance_reaches_who_waits_and_harms_nothing() -> None:
    async with client_side() as (channel, client):
        channel.disturb(OSError("nobody waits: this is lost"))
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(_disturbed(channel))
            await asyncio.sleep(0)
            channel.disturb(OSError("now"))
        assert str(waiting.result()) == "now"
        await client.send(b"NOOP\r\n")
        assert await channel.next(5) == b"NOOP"


async def _disturbed(channel: ClientChannel) -> OSError:
    with pytest.raises(Disturbed) as caught:
        await channel.next()
    return caught.value.problem


async def test_the_watch_hears_each_arrival_and_the_end() -> None:
    async with client_side() as (channel, client):
        heard = asyncio.Event()
        channel.watch = heard.set
        await client.send(b"NOOP\r\n")
        async with patiently():
            await heard.wait()
        assert list(channel.pending) == [b"NOOP"]
        heard.clear()
        client.sock.shutdown(socket.SHUT_WR)
        async with patiently():
            await heard.wait()
        assert channel.ended


@pytest.mark.parametrize("line", [b"NOOP", b"CWD " + b"x" * 8000], ids=["short", "long"])
async def test_who_sends_ahead_is_read_no_further_than_needed_however_long_its_lines(
    line: bytes,
) -> None:
    async with client_side() as (channel, client):
        lines = 40 * MOST_AHEAD // len(line)
        transport = channel._transport
        assert transport is not None
        async with patiently(), asyncio.TaskGroup() as tasks:
            tasks.create_task(client.send((line + b"\r\n") * lines))
            await until(lambda: not transport.is_reading() or len(channel.pending) == lines)
            held = sum(len(item) for item in channel.pending if isinstance(item, bytes))
            came = [await channel.next() for _ in range(lines)]
    assert held < MOST_AHEAD + MOST_AT_ONCE
    assert set(came) == {line}


async def test_what_was_sent_ahead_before_the_end_is_all_there() -> None:
    async with client_side() as (channel, client):
        lines = 2 * MOST_AHEAD // EACH
        await client.send(b"NOOP\r\n" * lines)
        await until(lambda: len(channel.pending) == lines)
        channel.abort()
        assert await channel.wait_closed(5.0)
        assert [await channel.next() for _ in range(lines)] == [b"NOOP"] * lines


async def test_telnet_options_are_answered_at_once() -> None:
    async with client_side() as (channel, client):
        await client.send(b"\xff\xfd\x01NOOP\r\n")
        assert await channel.next(5) == b"NOOP"
        assert await read_some(client.sock, 3) == b"\xff\xfc\x01"


async def test_urgent_data_is_read_in_line() -> None:
    async with client_side() as (channel, client):
        await client.send(b"\xff\xf4\xff")
        client.sock.send(b"\xf2", socket.MSG_OOB)
        await client.send(b"ABOR\r\n")
        assert await channel.next(5) == b"ABOR"


async def test_close_sends_what_is_due_and_a_fin() -> None:
    async with client_side() as (channel, client):
        channel.write(b"221 Goodbye.\r\n")
        channel.close()
        assert await read_all(client.sock) == b"221 Goodbye.\r\n"
        channel.write(b"into the void")


async def test_finish_writing_goes_on_reading() -> None:
    async with client_side() as (channel, client):
        channel.finish_writing()
        channel.finish_writing()
        assert await read_some(client.sock) == b""
        await client.send(b"NOOP\r\n")
        assert await channel.next(5) == b"NOOP"


async def test_one_who_does_not_read_makes_the_channel_full_until_it_reads() -> None:
    async with client_side() as (channel, client):
        while not channel.is_full:
            channel.write(bytes(1 << 20))
        async with patiently(), asyncio.TaskGroup() as tasks:
            draining = tasks.create_task(channel.drain())
            while not draining.done():
                await read_some(client.sock, 1 << 20)
        assert not channel.is_full


async def test_the_end_wakes_who_waits_for_room() -> None:
    async with client_side() as (channel, client):
        while not channel.is_full:
            channel.write(bytes(1 << 20))
        client.vanish()
        async with patiently():
            await channel.drain()


async def test_wait_closed_tells_whether_the_socket_is_gone() -> None:
    async with client_side() as (channel, _):
        called: list[bool] = []
        channel.when_closed(lambda: called.append(True))
        assert not await channel.wait_closed(0.0)
        channel.abort()
        assert await channel.wait_closed(5.0)
        assert called == [True]


async def test_replies_come_out_whole() -> None:
    async with server_side() as (channel, peer):
        peer.send(b"220-Hello\r\n 220 not yet\r\n220 ")
        peer.send(b"Now\r\n331 Name?\r\n")
        first, second = await channel.next(5), await channel.next(5)
        assert (first.code, len(first.lines), second.code) == (220, 3, 331)


async def test_nonsense_ends_the_channel_but_not_what_came_before_it() -> None:
    async with server_side() as (channel, peer):
        peer.send(b"220 Hello\r\nGET / HTTP/1.1\r\n331 too late\r\n")
        assert (await channel.next(5)).code == 220
        with pytest.raises(Ended, match="not a reply: GET"):
            await channel.next(5)
        assert await read_all(peer) == b""


async def test_control_sockets_ask_for_keep_alive_and_send_at_once() -> None:
    async with client_side() as (channel, _):
        with socket.socket(fileno=socket.dup(channel.fileno)) as sock:
            for level, option in (
                (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                (socket.SOL_SOCKET, socket.SO_OOBINLINE),
                (socket.IPPROTO_TCP, socket.TCP_NODELAY),
            ):
                assert sock.getsockopt(level, option)


async def test_the_kernel_tells_the_round_trip() -> None:
    async with server_side() as (channel, _):
        assert 0.0 < channel.round_trip < 5.0


async def test_a_channel_without_a_socket_knows_no_round_trip() -> None:
    assert ServerChannel().round_trip == 0.0
