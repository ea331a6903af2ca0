from __future__ import annotations

import os
import socket

from proxy.net.memory import Remembered, Remembering
from proxy.net.relay import TURN, End, Relay

CONTENT = os.urandom(300_000)


async def test_a_relay_sends_what_was_kept_and_ends() -> None:
    target, receiver = socket.socketpair()
    with target, receiver, Remembered(CONTENT[:1000]) as source:
        target.setblocking(False)
        relay = Relay(source, target, stall=30, splice=False)
        assert await relay.run() is End.SOURCE_ENDED
        assert receiver.recv(2000) == CONTENT[:1000]
        assert relay.moved == 1000


async def test_a_source_longer_than_a_turn_goes_on_after_it() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    with Remembered(bytes(TURN + 100_000)) as source:

        class Sink:
            def fileno(self) -> int:
                return null

            def send(self, data: bytes | memoryview, /) -> int:
                return os.write(null, data)

        relay = Relay(source, Sink(), stall=30, splice=False)
        assert await relay.run() is End.SOURCE_ENDED
        assert relay.moved == TURN + 100_000
    os.close(null)


def test_a_copy_is_kept_of_what_the_kernel_took() -> None:
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        target = Remembering(near, most=10_000_000)
        sent = target.send(bytes(5_000_000))
        assert 0 < sent < 5_000_000
        assert target.content == bytes(sent)
        assert target.fileno() == near.fileno()


def test_of_too_much_nothing_is_kept() -> None:
    near, far = socket.socketpair()
    with near, far:
        target = Remembering(near, most=3)
        target.send(b"abc")
        before = target.content
        target.send(memoryview(b"d"))
        target.send(b"e")
        assert (before, target.content) == (b"abc", None)
        assert far.recv(10) == b"abcde"
