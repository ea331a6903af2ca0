from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from proxy.net.relay import TURN, End, Relay
from proxy.net.replay import OVERHEAD, SHARES, Replay, ReplayMemory

PIECE = 100


@contextmanager
def replayed(most: int) -> Iterator[tuple[socket.socket, Replay, ReplayMemory]]:
    """A sender, what is read from it, and the memory for that: so many bytes for one source."""
    near, far = socket.socketpair()
    memory = ReplayMemory(most * SHARES)
    with near, far:
        far.setblocking(False)
        replay = Replay(far, memory)
        yield near, replay, memory
        replay.close()
    assert memory.used == 0


def read(replay: Replay, most: int = 1 << 16) -> bytes:
    buffer = bytearray(most)
    return bytes(buffer[: replay.recv_into(memoryview(buffer))])


def test_what_was_read_is_read_again_from_any_byte_and_then_goes_on() -> None:
    with replayed(1 << 20) as (sender, replay, _):
        for piece in (b"abc", b"def", b"ghi"):
            sender.send(piece)
            assert read(replay) == piece
        for position in range(10):
            replay.rewind(position)
            again = b""
            while len(again) < 9 - position:
                again += read(replay, 2)
            assert again == b"abcdefghi"[position:]
        sender.send(b"jkl")
        assert read(replay) == b"jkl"
        assert (replay.taken, replay.oldest) == (12, 0)


def test_the_oldest_make_room_and_the_memory_is_never_exceeded() -> None:
    with replayed(3 * (PIECE + OVERHEAD)) as (sender, replay, memory):
        for number in range(10):
            sender.send(bytes([number]) * PIECE)
            read(replay)
            assert memory.used <= memory.most // SHARES
        assert replay.oldest == 7 * PIECE
        replay.rewind(7 * PIECE)
        assert read(replay) == bytes([7]) * PIECE


def test_single_bytes_do_not_cost_more_than_they_are_counted() -> None:
    with replayed(1000) as (sender, replay, _):
        for _ in range(1000):
            sender.send(b"x")
            read(replay)
        assert replay.taken - replay.oldest == 1000 // (OVERHEAD + 1)


def test_without_memory_nothing_can_be_read_again_and_everything_is_read() -> None:
    with replayed(0) as (sender, replay, _):
        sender.send(b"abc")
        assert read(replay) == b"abc"
        assert replay.oldest == replay.taken == 3


def test_all_sources_together_keep_no_more_than_the_memory_has() -> None:
    memory = ReplayMemory(1000)
    assert all(memory.lend(100, 0) for _ in range(10))
    assert not memory.lend(1, 0)
    memory.take_back(100)
    assert memory.lend(100, 0)


def test_an_error_is_met_again_and_never_becomes_an_end() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    with listener, socket.create_connection(listener.getsockname()) as sender:
        far, _ = listener.accept()
        with far:
            replay = Replay(far, ReplayMemory(1 << 20))
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sender.close()
            for _ in range(3):
                with pytest.raises(ConnectionResetError):
                    read(replay)


async def test_a_relay_goes_on_from_memory_without_a_word_from_the_socket() -> None:
    content = os.urandom(2 * TURN)
    null = os.open(os.devnull, os.O_WRONLY)
    taken = bytearray()

    class Sink:
        def fileno(self) -> int:
            return null

        def send(self, data: bytes | memoryview, /) -> int:
            taken.extend(data)
            return len(data)

    with replayed(1 << 24) as (sender, replay, _):
        sender.setblocking(False)
        at = 0
        while at < len(content):
            at += sender.send(content[at : at + PIECE * 1000])
            read(replay)
        while replay.taken < len(content):
            read(replay)
        replay.rewind(0)
        sender.shutdown(socket.SHUT_WR)
        assert await Relay(replay, Sink(), stall=30).run() is End.SOURCE_ENDED
    os.close(null)
    assert bytes(taken) == content
