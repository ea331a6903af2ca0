from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable, Iterator

import pytest

from loadtest.ports import free_port
from proxy.net.data import AGAIN, AcceptingEnd, ConnectingEnd, DataEnd
from proxy.net.listener import Listener
from proxy.net.options import LINGER_ZERO
from tests.support.raw_client import accept, dial, read_all, read_some
from tests.support.scarce import no_descriptor_left

HOST = "127.0.0.1"
PATIENCE = 5.0


async def peer_of(end: DataEnd) -> tuple[str, int]:
    """Wait until it is open, and return whom it is connected with."""
    sock = await end.wait(PATIENCE)
    assert isinstance(sock, socket.socket)
    name: tuple[str, int] = sock.getpeername()
    return name


@pytest.fixture
def listener() -> Iterator[Listener]:
    with socket.create_server((HOST, 0)) as sock:
        sock.setblocking(False)
        yield Listener(HOST, sock.getsockname()[1], sock)


async def connected(listener: Listener) -> tuple[DataEnd, socket.socket]:
    """Return an open end and the socket of its peer."""
    end = ConnectingEnd(HOST, listener.port, HOST)
    peer = await accept(listener.sock)
    await end.wait(PATIENCE)
    return end, peer


async def test_a_connecting_end_opens(listener: Listener) -> None:
    end, peer = await connected(listener)
    with peer:
        assert end.was_opened
        assert end.sock is not None
        assert not end.sock.getblocking()
        end.finish()


async def test_a_connecting_end_comes_from_the_address_it_was_told(listener: Listener) -> None:
    end = ConnectingEnd(HOST, listener.port, "127.0.0.2")
    with await accept(listener.sock) as peer:
        assert peer.getpeername()[0] == "127.0.0.2"
    end.finish()


async def test_a_connection_that_stands_is_seen_without_the_loop(listener: Listener) -> None:
    end = ConnectingEnd(HOST, listener.port, HOST)
    with listener.sock.dup() as still:
        still.setblocking(True)
        peer, _ = still.accept()  # blocks the loop: it can have told nobody
    with peer:
        end.look()
        assert end.was_opened
        end.finish()


async def test_an_error_is_told_to_those_who_do_not_wait() -> None:
    end = ConnectingEnd(HOST, free_port(), HOST)
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(ConnectionRefusedError):
            await end.opened
    assert end.has_failed
    end.finish()


async def test_a_refused_connection_is_an_error_of_the_wait() -> None:
    end = ConnectingEnd(HOST, free_port(), HOST)
    with pytest.raises(ConnectionRefusedError, match="Connection refused"):
        await end.wait(PATIENCE)
    assert not end.was_opened
    end.finish()


async def test_an_address_that_cannot_be_bound_is_an_error_of_the_wait(
    listener: Listener,
) -> None:
    end = ConnectingEnd(HOST, listener.port, "192.0.2.77")
    with pytest.raises(OSError, match="assign"):
        await end.wait(PATIENCE)
    end.reset()


async def test_finish_is_a_fin_after_all_that_was_sent(listener: Listener) -> None:
    end, peer = await connected(listener)
    with peer:
        assert end.sock is not None
        end.sock.send(b"last words")
        end.finish()
        assert await read_all(peer) == b"last words"
    assert end.sock is None


async def test_reset_is_a_rst(listener: Listener) -> None:
    end, peer = await connected(listener)
    with peer:
        end.reset()
        with pytest.raises(ConnectionResetError):
            await read_some(peer)


async def test_finish_writing_keeps_the_socket_for_reading(listener: Listener) -> None:
    end, peer = await connected(listener)
    with peer:
        end.finish_writing()
        assert await read_some(peer) == b""
        peer.send(b"still heard")
        assert end.sock is not None
        assert await read_some(end.sock) == b"still heard"
        end.finish()


async def test_an_end_may_be_ended_twice(listener: Listener) -> None:
    end, peer = await connected(listener)
    with peer:
        end.reset()
        end.reset()
        end.finish()


async def test_an_accepting_end_opens_when_its_peer_comes(listener: Listener) -> None:
    end = AcceptingEnd(listener, HOST)
    assert not end.was_opened
    with await dial(listener.port) as peer:
        sock = await end.wait(PATIENCE)
        sock.send(b"welcome")
        assert await read_some(peer) == b"welcome"
    end.finish()


async def test_an_accepting_end_takes_a_peer_that_came_before_it(listener: Listener) -> None:
    with await dial(listener.port):
        end = AcceptingEnd(listener, HOST)
        assert end.was_opened
        end.finish()


async def test_a_stranger_gets_a_fin_and_the_right_one_is_still_awaited(
    listener: Listener,
) -> None:
    with await dial(listener.port, "127.0.0.2") as early:
        end = AcceptingEnd(listener, HOST)
        assert await read_some(early) == b""
    with await dial(listener.port, "127.0.0.3") as late:
        assert await read_some(late) == b""
    assert not end.opened.done()
    with await dial(listener.port):
        assert (await peer_of(end))[0] == HOST
    end.finish()


async def test_an_accepting_end_takes_one_connection_only(listener: Listener) -> None:
    with await dial(listener.port), await dial(listener.port) as second:
        end = AcceptingEnd(listener, HOST)
        with await accept(listener.sock) as left:
            assert left.getpeername() == second.getsockname()
        end.finish()


async def test_an_end_given_up_before_it_opened_leaves_nothing_watching(
    listener: Listener,
) -> None:
    end = AcceptingEnd(listener, HOST)
    end.reset()
    assert end.opened.cancelled()
    assert not end.was_opened
    with await dial(listener.port) as late, await accept(listener.sock) as accepted:
        assert accepted.getpeername() == late.getsockname()


async def test_nobody_coming_is_a_timeout(listener: Listener) -> None:
    end = AcceptingEnd(listener, HOST)
    with pytest.raises(TimeoutError, match="none within 0 s"):
        await end.wait(0.0)
    end.finish()


async def test_a_broken_listener_is_an_error_of_the_wait(listener: Listener) -> None:
    listener.sock.close()
    end = AcceptingEnd(listener, HOST)
    with pytest.raises(OSError, match="descriptor"):
        await end.wait(PATIENCE)
    end.finish()


async def test_a_cancelled_wait_leaves_the_end_to_its_owner(listener: Listener) -> None:
    end = AcceptingEnd(listener, HOST)
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(end.wait(PATIENCE))
        await asyncio.sleep(0)
        waiting.cancel()
    with await dial(listener.port) as peer:
        assert await peer_of(end) == peer.getsockname()
    end.finish()


async def test_descriptors_are_not_confused_by_many_cancelled_connects(
    listener: Listener,
) -> None:
    chance = random.Random(1)
    for _ in range(50):
        ends = [ConnectingEnd(HOST, listener.port, HOST) for _ in range(8)]
        for end in chance.sample(ends, 6):
            end.reset()
        for end in ends:
            if end.sock is not None:
                assert await peer_of(end) == (HOST, listener.port)
                end.reset()
        while True:
            try:
                listener.sock.accept()[0].close()
            except BlockingIOError:
                break


@pytest.mark.parametrize(
    ("deed", "is_end"),
    [
        (lambda peer: peer.shutdown(socket.SHUT_WR), True),
        (lambda peer: peer.send(b"nobody asked for this"), False),
        (lambda peer: reset(peer), True),
    ],
)
async def test_the_other_sides_end_is_heard_and_what_it_sends_is_not(
    listener: Listener, deed: Callable[[socket.socket], object], is_end: bool
) -> None:
    heard: list[str] = []
    end, peer = await connected(listener)
    with peer, end.watching_end(lambda: heard.append("ended")):
        deed(peer)
        for _ in range(10):
            await asyncio.sleep(0)  # on loopback it has come already
        assert heard == ["ended"] * is_end
    end.finish()


async def test_that_the_other_side_may_lack_something_is_remembered(listener: Listener) -> None:
    end, peer = await connected(listener)
    over = asyncio.Event()
    with end.watching_end(over.set):
        assert end.sock is not None
        end.sock.send(b"abc")
        reset(peer)
        await over.wait()
    assert [end.may_lack, end.may_lack] == [True, True]
    assert not end.lacks  # the kernel took it all, and dropped it
    end.finish()


async def test_who_listened_no_more_is_not_told_of_an_end(listener: Listener) -> None:
    heard: list[str] = []
    end, peer = await connected(listener)
    with end.watching_end(lambda: heard.append("ended")):
        pass
    peer.close()
    for _ in range(10):
        await asyncio.sleep(0)
    assert not heard
    end.finish()


def reset(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
    peer.close()


async def test_a_connecting_end_waits_for_a_descriptor(listener: Listener) -> None:
    with no_descriptor_left():
        end = ConnectingEnd(HOST, listener.port, HOST)
        with pytest.raises(OSError, match="Too many open files"):
            await end.wait(2 * AGAIN)
    with await accept(listener.sock):
        await end.wait(PATIENCE)
    end.finish()


async def test_an_accepting_end_waits_for_a_descriptor_and_leaves_the_loop_in_peace(
    listener: Listener,
) -> None:
    with await dial(listener.port):
        with no_descriptor_left():
            end = AcceptingEnd(listener, HOST)
            assert not asyncio.get_running_loop().remove_reader(listener.sock)
            with pytest.raises(OSError, match="Too many open files"):
                await end.wait(2 * AGAIN)
        await end.wait(PATIENCE)
        end.finish()


async def test_who_is_given_up_waits_for_no_descriptor(listener: Listener) -> None:
    with no_descriptor_left():
        end = ConnectingEnd(HOST, listener.port, HOST)
        end.finish()
    with await dial(listener.port) as later:  # had it gone on, this one would not be the first
        first, address = listener.sock.accept()
        first.close()
        assert address == later.getsockname()
    assert end.sock is None
