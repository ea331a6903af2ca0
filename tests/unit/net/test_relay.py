from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import time
from collections.abc import Iterator

import pytest

from proxy.net import relay
from proxy.net.pipes import PIPES, SIZE
from proxy.net.relay import CHUNK, End, Relay
from proxy.net.throttle import Tap, Throttle
from proxy.shaping.bandwidth import DEPTH, LONGEST_GRANT
from tests.support.raw_client import patiently, read_all, read_some
from tests.support.scarce import no_descriptor_left
from tests.support.scripted import RESET

BIG = 100 << 20
LONG = 60.0  # seconds: nothing here may take so long

Ends = tuple[socket.socket, socket.socket, socket.socket, socket.socket]
kinds = pytest.mark.parametrize("splice", [True, False], ids=["splice", "copy"])


def connection() -> tuple[socket.socket, socket.socket]:
    """Return both ends of a TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        one = socket.create_connection(listening.getsockname())
        other, _ = listening.accept()
    for sock in (one, other):
        sock.setblocking(False)
    return one, other


@pytest.fixture
def ends() -> Iterator[Ends]:
    """Sender, source, target, receiver: the relay joins the two in the middle."""
    sender, source = connection()
    target, receiver = connection()
    yield sender, source, target, receiver
    for sock in (sender, source, target, receiver):
        sock.close()


async def send_all(sock: socket.socket, content: bytes | memoryview) -> None:
    """Send everything, then FIN."""
    await asyncio.get_running_loop().sock_sendall(sock, content)
    sock.shutdown(socket.SHUT_WR)


async def hash_all(sock: socket.socket) -> tuple[int, str]:
    """Read up to FIN; return the number of bytes and their SHA-256."""
    digest, count = hashlib.sha256(), 0
    while data := await read_some(sock, 1 << 20):
        digest.update(data)
        count += len(data)
    return count, digest.hexdigest()


async def relayed(
    ends: Ends, content: bytes, *, splice: bool, tap: Tap | None = None
) -> tuple[Relay, tuple[int, str]]:
    """Send `content` through; return the finished relay and what arrived."""
    sender, source, target, receiver = ends
    relay = Relay(source, target, stall=LONG, splice=splice, tap=tap)
    async with patiently(), asyncio.TaskGroup() as tasks:
        arrived = tasks.create_task(hash_all(receiver))
        tasks.create_task(send_all(sender, content))
        assert await relay.run() is End.SOURCE_ENDED
        target.shutdown(socket.SHUT_WR)
    return relay, arrived.result()


@kinds
@pytest.mark.parametrize(
    "size", [0, 1, 100, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, SIZE, SIZE + 1, 5_000_001]
)
async def test_every_byte_arrives_in_order(ends: Ends, size: int, splice: bool) -> None:
    content = os.urandom(size)
    relay, arrived = await relayed(ends, content, splice=splice)
    assert arrived == (size, hashlib.sha256(content).hexdigest())
    assert relay.moved == size


@kinds
async def test_a_big_file_arrives_whole(ends: Ends, splice: bool) -> None:
    content = os.urandom(1 << 20) * (BIG >> 20)
    relay, arrived = await relayed(ends, content, splice=splice)
    assert arrived == (BIG, hashlib.sha256(content).hexdigest())
    assert relay.moved == BIG


@kinds
async def test_both_directions_may_run_at_once(splice: bool) -> None:
    up, down = os.urandom(3 << 20), os.urandom(3 << 20)
    client, inside = connection()
    outside, server = connection()
    async with patiently(), asyncio.TaskGroup() as tasks:
        tasks.create_task(send_all(client, up))
        tasks.create_task(send_all(server, down))
        at_server = tasks.create_task(hash_all(server))
        at_client = tasks.create_task(hash_all(client))
        first = tasks.create_task(Relay(inside, outside, stall=LONG, splice=splice).run())
        back = outside.dup(), inside.dup()
        second = Relay(*back, stall=LONG, splice=splice)
        await second.run()
        await first
        inside.shutdown(socket.SHUT_WR)
        outside.shutdown(socket.SHUT_WR)
    assert at_server.result()[1] == hashlib.sha256(up).hexdigest()
    assert at_client.result()[1] == hashlib.sha256(down).hexdigest()
    for sock in (client, inside, outside, server, *back):
        sock.close()


@kinds
async def test_single_bytes_pass_as_they_come(ends: Ends, splice: bool) -> None:
    sender, source, target, receiver = ends
    relay = Relay(source, target, stall=LONG, splice=splice)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(relay.run())
        for byte in b"one at a time":
            sender.send(bytes([byte]))
            assert await read_some(receiver) == bytes([byte])
        sender.close()
    assert running.result() is End.SOURCE_ENDED


@kinds
async def test_a_slow_reader_gets_everything(ends: Ends, splice: bool) -> None:
    sender, source, target, receiver = ends
    content = os.urandom(4 << 20)
    received = bytearray()
    relay = Relay(source, target, stall=LONG, splice=splice)
    async with patiently(), asyncio.TaskGroup() as tasks:
        tasks.create_task(send_all(sender, content))
        running = tasks.create_task(relay.run())
        while len(received) < len(content):
            received += await read_some(receiver, 20_011)
    assert running.result() is End.SOURCE_ENDED
    assert bytes(received) == content


@kinds
async def test_a_slow_writer_is_waited_for(ends: Ends, splice: bool) -> None:
    sender, source, target, receiver = ends
    pieces = [os.urandom(CHUNK + 17) for _ in range(40)]
    relay = Relay(source, target, stall=LONG, splice=splice)
    received = bytearray()
    async with patiently(), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(relay.run())
        for piece in pieces:
            await asyncio.get_running_loop().sock_sendall(sender, piece)
            start = len(received)
            while len(received) - start < len(piece):
                received += await read_some(receiver)
        sender.shutdown(socket.SHUT_WR)
    assert running.result() is End.SOURCE_ENDED
    assert bytes(received) == b"".join(pieces)


@kinds
async def test_the_sockets_stay_open(ends: Ends, splice: bool) -> None:
    _, source, target, receiver = ends
    await relayed(ends, b"content", splice=splice)
    assert source.fileno() >= 0
    assert target.fileno() >= 0
    source.send(b"the other way is open still")
    assert await read_some(ends[0])


@kinds
async def test_a_reset_source_is_told_apart_from_its_end(ends: Ends, splice: bool) -> None:
    sender, source, target, receiver = ends
    relay = Relay(source, target, stall=LONG, splice=splice)
    async with patiently(), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(relay.run())
        sender.send(b"a part")
        assert await read_some(receiver) == b"a part"
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        sender.close()
    assert running.result() is End.SOURCE_FAILED


@kinds
async def test_a_target_that_is_reset_in_mid_file_ends_the_relay(ends: Ends, splice: bool) -> None:
    sender, source, target, receiver = ends
    relay = Relay(source, target, stall=LONG, splice=splice)
    async with patiently(), asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(send_all(sender, bytes(64 << 20)))
        running = tasks.create_task(relay.run())
        assert await read_some(receiver)
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        receiver.close()
        assert await running is End.TARGET_FAILED
        sending.cancel()


@kinds
async def test_no_byte_for_too_long_is_a_stall(ends: Ends, splice: bool) -> None:
    sender, source, target, _ = ends
    sender.send(b"and then nothing")
    async with patiently():
        assert await Relay(source, target, stall=0.01, splice=splice).run() is End.STALLED


async def test_where_it_is_in_vain_one_quiet_look_is_enough(ends: Ends) -> None:
    sender, source, target, _ = ends
    asked: list[bool] = []

    def is_in_vain() -> bool:
        asked.append(True)
        return True

    sender.send(b"and then nothing")
    async with patiently():
        assert await Relay(source, target, stall=0.05).run(is_in_vain) is End.STALLED
    assert len(asked) == 1


async def test_what_is_in_vain_is_seen_soon_however_patient_it_is(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "LOOK", 0.01)
    _, source, target, _ = ends
    async with patiently():
        assert await Relay(source, target, stall=1e6).run(lambda: True) is End.STALLED


@kinds
async def test_a_reader_that_takes_nothing_is_a_stall(ends: Ends, splice: bool) -> None:
    sender, source, target, _ = ends
    async with patiently(), asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(send_all(sender, bytes(64 << 20)))
        assert await Relay(source, target, stall=0.05, splice=splice).run() is End.STALLED
        sending.cancel()


@kinds
async def test_cancelling_leaves_both_sockets_open_and_unwatched(ends: Ends, splice: bool) -> None:
    sender, source, target, receiver = ends
    relay = Relay(source, target, stall=LONG, splice=splice)
    async with patiently(), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(relay.run())
        sender.send(b"before")
        assert await read_some(receiver) == b"before"
        running.cancel()
    sender.send(b"after")
    assert await read_some(source) == b"after"
    target.send(b"by hand")
    assert await read_some(receiver) == b"by hand"


async def test_a_cancelled_relay_never_gives_its_bytes_to_the_next(ends: Ends) -> None:
    sender, source, target, receiver = ends
    relay = Relay(source, target, stall=LONG)
    async with patiently(), asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(send_all(sender, b"secret " * (8 << 20)))
        running = tasks.create_task(relay.run())
        for _ in range(100_000):  # the reader does not read: bytes are caught in the pipe
            if relay._piped:
                break
            await asyncio.sleep(0)
        caught = relay._pipe
        running.cancel()
        sending.cancel()
    assert caught not in PIPES._idle
    others = (*connection(), *connection())
    content = os.urandom(3 * SIZE)
    _, arrived = await relayed(others, content, splice=True)
    assert arrived == (len(content), hashlib.sha256(content).hexdigest())
    for sock in others:
        sock.close()


@kinds
@pytest.mark.parametrize("rate", [3 << 20, 30 << 20])
async def test_a_throttled_relay_moves_every_byte_no_faster_than_its_rate(
    ends: Ends, splice: bool, rate: int
) -> None:
    throttle = Throttle(None, time.monotonic)
    content = os.urandom(rate // 4)
    started = time.monotonic()
    _, arrived = await relayed(ends, content, splice=splice, tap=throttle.tap("a", rate))
    assert time.monotonic() - started >= 0.25 - DEPTH
    assert arrived == (len(content), hashlib.sha256(content).hexdigest())


@kinds
async def test_a_transfer_that_waits_for_its_bytes_is_not_stalled(ends: Ends, splice: bool) -> None:
    sender, source, target, receiver = ends
    throttle = Throttle(None, time.monotonic)
    relay = Relay(source, target, stall=0.01, splice=splice, tap=throttle.tap("a", 10))
    async with patiently():
        await send_all(sender, b"four")
        assert await relay.run() is End.SOURCE_ENDED
    assert await read_some(receiver) == b"four"


@kinds
async def test_a_cancelled_relay_leaves_its_rate_to_the_next(ends: Ends, splice: bool) -> None:
    sender, source, target, receiver = ends
    throttle = Throttle(None, lambda: 0.0)  # time stands still: nothing is earned
    tap, other = throttle.tap("a", 100_000), throttle.tap("a", 100_000)
    assert tap is not None
    assert other is not None
    relay = Relay(source, target, stall=LONG, splice=splice, tap=tap)
    async with patiently(), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(relay.run())
        sender.send(b"a few bytes")
        assert await read_some(receiver)
        running.cancel()
    left = 0
    while paid := other.draw(lambda: None):
        left += paid
    assert not tap.is_waiting
    assert left + relay.moved == pytest.approx(100_000 * DEPTH, abs=100_000 * LONGEST_GRANT)


async def test_a_source_that_cannot_be_spliced_is_copied(ends: Ends) -> None:
    _, _, target, receiver = ends
    content = os.urandom(3 * CHUNK)
    sender, source = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for sock in (sender, source):
        sock.setblocking(False)
    relay = Relay(source, target, stall=LONG)
    async with patiently(), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(relay.run())
        for at in range(0, len(content), CHUNK):
            await asyncio.get_running_loop().sock_sendall(sender, content[at : at + CHUNK])
        sender.close()
        await running
        target.shutdown(socket.SHUT_WR)
        assert await read_all(receiver) == content
    source.close()


async def test_a_small_files_last_bytes_leave_with_the_fin_at_the_latest(ends: Ends) -> None:
    sender, source, target, receiver = ends
    sender.sendall(b"a small file")
    sender.shutdown(socket.SHUT_WR)
    relay = Relay(source, target, stall=LONG)
    async with patiently():
        assert await relay.run() is End.SOURCE_ENDED
        assert relay.moved == 12
        target.close()
        assert await read_all(receiver) == b"a small file"


class Broken:
    """A source whose first bytes are followed by a reset, and then, as in a kernel, by nothing."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._says = iter((b"half", ConnectionResetError(), b""))

    def fileno(self) -> int:
        return self._sock.fileno()

    def recv_into(self, buffer: memoryview) -> int:
        said = next(self._says)
        if isinstance(said, Exception):
            raise said
        buffer[: len(said)] = said
        return len(said)


async def test_a_reset_behind_the_first_bytes_is_never_taken_for_their_end(ends: Ends) -> None:
    _, source, target, receiver = ends
    relay = Relay(Broken(source), target, stall=LONG)
    async with patiently():
        assert await relay.run() is End.SOURCE_FAILED
        assert await read_some(receiver) == b"half"
    assert relay.moved == 4


async def test_without_descriptors_for_a_pipe_everything_is_copied(ends: Ends) -> None:
    content = os.urandom(3 * SIZE)
    idle, PIPES._idle = PIPES._idle, []
    try:
        with no_descriptor_left():
            _, arrived = await relayed(ends, content, splice=True)
    finally:
        PIPES._idle = idle
    assert arrived == (len(content), hashlib.sha256(content).hexdigest())
