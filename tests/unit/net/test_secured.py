"""The handshake before a data connection and the goodbye behind it, on real sockets in the loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator

import pytest

from proxy.net.data import AcceptingEnd, ConnectingEnd, DataEnd
from proxy.net.listener import Listener
from proxy.net.relay import End, Relay
from proxy.net.tls import TlsCut, TlsFault
from proxy.net.tls_socket import TlsSocket
from tests.support.raw_client import accept, dial, is_reset, read_all
from tests.support.wires import wires

HOST = "127.0.0.1"
PATIENCE = 10.0
BIG = bytes(range(256)) * 40_000  # more than sockets hold


@pytest.fixture
def listener() -> Iterator[Listener]:
    with socket.create_server((HOST, 0)) as sock:
        sock.setblocking(False)
        yield Listener(HOST, sock.getsockname()[1], sock)


async def opening(listener: Listener) -> tuple[DataEnd, DataEnd]:
    """Return both ends of a connection that stands, hands not yet shaken."""
    client_wire, server_wire = wires()
    server = AcceptingEnd(listener, HOST, server_wire)
    client = ConnectingEnd(HOST, listener.port, HOST, client_wire)
    async with asyncio.timeout(PATIENCE):
        await asyncio.wait({client.opened, server.opened})
    return client, server


async def agreed(listener: Listener) -> tuple[DataEnd, DataEnd]:
    """Return both ends of one protected connection, the connecting one first."""
    client, server = await opening(listener)
    await client.wait(PATIENCE)
    await server.wait(PATIENCE)
    return client, server


async def test_both_ends_agree_without_anybody_waiting_for_them(listener: Listener) -> None:
    client, server = await agreed(listener)
    assert client.was_opened
    assert client.is_protected
    client.finish()
    server.finish()


async def test_many_that_begin_at_once_all_agree(listener: Listener) -> None:
    both = [await opening(listener) for _ in range(20)]
    for client, server in both:
        await client.wait(PATIENCE)
        await server.wait(PATIENCE)
        client.finish()
        server.finish()


async def test_a_big_file_passes_two_protected_connections_unchanged(listener: Listener) -> None:
    first, source = await agreed(listener)
    target, last = await agreed(listener)
    inlet, outlet = await first.wait(PATIENCE), await last.wait(PATIENCE)
    near, far = socket.socketpair()
    sink, drain = socket.socketpair()
    for sock in (near, far, sink, drain):
        sock.setblocking(False)
    loop = asyncio.get_running_loop()

    async def feed() -> None:
        await loop.sock_sendall(near, BIG)
        near.close()

    async def pass_on(end: DataEnd, relay: Relay) -> End:
        ended = await relay.run()
        end.finish()
        return ended

    with far, sink, drain:
        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
            tasks.create_task(feed())
            relays = [
                Relay(far, inlet, stall=5.0),
                Relay(await source.wait(1), await target.wait(1), stall=5.0),
                Relay(outlet, sink, stall=5.0),
            ]
            runs = [
                tasks.create_task(pass_on(first, relays[0])),
                tasks.create_task(pass_on(target, relays[1])),
                tasks.create_task(relays[2].run()),
            ]
            runs[2].add_done_callback(lambda _: sink.shutdown(socket.SHUT_WR))
            got = await read_all(drain)
    assert got == BIG
    assert [run.result() for run in runs] == [End.SOURCE_ENDED] * 3
    assert [relay.moved for relay in relays] == [len(BIG)] * 3
    assert source.goodbye
    assert last.goodbye
    source.finish()
    last.finish()


async def test_a_goodbye_that_does_not_fit_is_said_when_the_other_side_reads(
    listener: Listener,
) -> None:
    client, server = await agreed(listener)
    stream = await server.wait(PATIENCE)
    assert isinstance(stream, TlsSocket)
    sent = 0
    try:
        while True:
            sent += stream.send(bytes(1 << 16))
    except BlockingIOError:
        sent += 1 << 16  # encrypted, and on its way with the goodbye
    server.finish()
    assert server.sock is None
    near, far = socket.socketpair()
    near.setblocking(False)
    far.setblocking(False)
    with near, far:
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
            relay = Relay(await client.wait(PATIENCE), near, stall=5.0)
            running = tasks.create_task(relay.run())
            running.add_done_callback(lambda _: near.shutdown(socket.SHUT_WR))
            assert len(await read_all(far)) == sent
    assert running.result() is End.SOURCE_ENDED
    assert client.goodbye
    client.finish()


async def test_a_reset_says_no_goodbye(listener: Listener) -> None:
    client, server = await agreed(listener)
    stream = await client.wait(PATIENCE)
    server.reset()
    near, far = socket.socketpair()
    with near, far:
        assert await Relay(stream, near, stall=5.0).run() is End.SOURCE_FAILED
    client.reset()


async def test_garbage_is_told_to_who_waits(listener: Listener) -> None:
    server = AcceptingEnd(listener, HOST, wires()[1])
    with await dial(listener.port) as client:
        client.send(b"USER alice\r\n")
        with pytest.raises(TlsFault, match="^TLS: "):
            await server.wait(PATIENCE)
        server.reset()
        assert await is_reset(client)


async def test_a_peer_that_stalls_in_the_handshake_is_waited_for_no_longer_than_told(
    listener: Listener,
) -> None:
    server = AcceptingEnd(listener, HOST, wires()[1])
    with await dial(listener.port):
        async with asyncio.timeout(PATIENCE):
            await asyncio.wait({server.opened})
        with pytest.raises(TlsFault, match=r"no end of the handshake within 0 s"):
            await server.wait(0.0)
        server.reset()


async def test_a_peer_that_hangs_up_in_the_handshake_is_told(listener: Listener) -> None:
    client = ConnectingEnd(HOST, listener.port, HOST, wires()[0])
    (await accept(listener.sock)).close()
    with pytest.raises(TlsCut, match="TLS: (hung up|Connection reset)"):
        await client.wait(PATIENCE)
    client.finish()


async def test_an_end_given_up_in_the_handshake_leaves_nothing_behind(listener: Listener) -> None:
    client = ConnectingEnd(HOST, listener.port, HOST, wires()[0])
    with await accept(listener.sock) as peer:
        client.finish()
        assert (await read_all(peer)).startswith(b"\x16\x03")


@pytest.mark.parametrize("parts", [DataEnd.finish, DataEnd.finish_writing, DataEnd.reset])
async def test_who_only_sends_may_be_told_of_the_other_sides_end(
    listener: Listener, parts: Callable[[DataEnd], None]
) -> None:
    client, server = await agreed(listener)
    assert client.resumed is server.resumed is False
    over = asyncio.Event()
    with client.watching_end(over.set):
        await asyncio.sleep(0)
        assert not over.is_set()
        parts(server)
        async with asyncio.timeout(PATIENCE):
            await over.wait()
    client.reset()
    server.finish()


async def test_whoever_no_longer_watches_is_told_nothing(listener: Listener) -> None:
    client, server = await agreed(listener)
    with client.watching_end(lambda: pytest.fail("told")):
        pass
    server.finish()
    await asyncio.sleep(0)
    client.reset()


async def test_without_a_wire_nothing_is_said_of_a_goodbye(listener: Listener) -> None:
    end = ConnectingEnd(HOST, listener.port, HOST)
    with await accept(listener.sock):
        await end.wait(PATIENCE)
        assert not end.is_protected
        assert end.goodbye is end.resumed is None
        end.say_goodbye()
        end.finish()
