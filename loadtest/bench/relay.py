"""The relay's loop alone: splice, copy and asyncio streams side by side, in seconds, without root.

For whoever changes proxy/net/relay.py. CPU seconds are this process's own: feeder and drain are
processes of their own, and connections are made before anything is measured. Asserts nothing about
time; a missing byte ends it with exit code 1.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

import click

from proxy.machine import loop_factory, raise_descriptor_limit
from proxy.net.relay import End, Relay

from .ground import CONGESTION

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
BLOCK = bytes(4 * MIB)
STALL = 60.0
BACKLOG = 4096

Pair = tuple[socket.socket, socket.socket]  # source, target
Mover = Callable[[Pair], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Work:
    """So many payloads of one size, as many at once as there are streams."""

    size: int
    count: int
    streams: int

    @property
    def is_small(self) -> bool:
        """Tell whether the kernel's buffers hold a payload."""
        return self.size <= 64 * KIB


@dataclass(frozen=True, slots=True)
class Cost:
    """What one piece of work cost. Seconds."""

    moved: int
    elapsed: float
    cpu: float


WORKS = (
    Work(KIB, 400, 1),
    Work(KIB, 400, 8),
    Work(64 * KIB, 400, 1),
    Work(64 * KIB, 400, 8),
    Work(GIB, 1, 1),
    Work(128 * MIB, 8, 8),
)
TEN = Work(64 * MIB, 10, 10)


# Moving, three ways.


async def splice(pair: Pair) -> int:
    """Relay through a kernel pipe, as between plain connections."""
    return await _relay(pair, is_spliced=True)


async def copy(pair: Pair) -> int:
    """Relay through our own buffer, as where splice is not to be had."""
    return await _relay(pair, is_spliced=False)


async def _relay(pair: Pair, *, is_spliced: bool) -> int:
    relay = Relay(*pair, stall=STALL, splice=is_spliced)
    end = await relay.run()
    if end is not End.SOURCE_ENDED:
        raise click.ClickException(f"a relay ended by {end.name}")
    return relay.moved


async def streams(pair: Pair) -> int:
    """Do the same with asyncio's streams: what most would write first."""
    reader, its_writer = await asyncio.open_connection(sock=pair[0].dup())
    _, writer = await asyncio.open_connection(sock=pair[1].dup())
    moved = 0
    while data := await reader.read(64 * KIB):
        writer.write(data)
        await writer.drain()
        moved += len(data)
    for each in (writer, its_writer):
        each.close()
    await writer.wait_closed()
    return moved


MOVERS: dict[str, Mover] = {"splice": splice, "copy": copy, "streams": streams}


# Measuring.


def measure(mover: Mover, work: Work) -> Cost:
    """Carry out one piece of work between a feeder and a drain; raise when a byte is missing."""
    with _peers(feed, work) as sources, _peers(drain, work) as targets:
        pairs = list(zip(sources.socks, targets.socks, strict=True))
        if work.is_small:
            sources.told.recv()  # all of it lies in the kernel already
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            cost = runner.run(_timed(mover, pairs, work))
        arrived = targets.told.recv()
    if not arrived == cost.moved == work.size * work.count:
        raise click.ClickException(
            f"of {work.size * work.count} bytes {cost.moved} were moved and {arrived} arrived"
        )
    return cost


def measure_turns(mover: Mover, work: Work) -> list[float]:
    """Return the CPU seconds of each turn of the loop while relays run, shortest first."""
    with _peers(feed, work) as sources, _peers(drain, work) as targets:
        pairs = list(zip(sources.socks, targets.socks, strict=True))
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            return sorted(runner.run(_turns(mover, pairs)))


async def _timed(mover: Mover, pairs: list[Pair], work: Work) -> Cost:
    waiting = iter(pairs)
    moved = 0

    async def one_after_another() -> None:
        nonlocal moved
        for pair in waiting:
            count = await _move_and_finish(mover, pair)
            moved += count

    elapsed, cpu = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(work.streams):
            tasks.create_task(one_after_another())
    cpu, elapsed = time.process_time() - cpu, time.perf_counter() - elapsed
    return Cost(moved, elapsed, cpu)


async def _turns(mover: Mover, pairs: list[Pair]) -> list[float]:
    """Carry out bulk relays side by side; return the CPU seconds of each turn of the loop.

    A turn is what a control connection waits for, on a machine that has nothing else to do.
    """
    loop = asyncio.get_running_loop()
    took: list[float] = []
    last = time.thread_time()

    def turn() -> None:
        nonlocal last
        now = time.thread_time()
        took.append(now - last)
        last = now
        if not is_over:
            loop.call_soon(turn)

    is_over = False
    loop.call_soon(turn)
    async with asyncio.TaskGroup() as tasks:
        for pair in pairs:
            tasks.create_task(_move_and_finish(mover, pair))
    is_over = True
    return took


async def _move_and_finish(mover: Mover, pair: Pair) -> int:
    moved = await mover(pair)
    pair[1].shutdown(socket.SHUT_WR)
    return moved


# The processes at both ends.


@dataclass(frozen=True, slots=True)
class Peers:
    """Our ends of the connections with one process, and what it tells us."""

    socks: list[socket.socket]
    told: Connection


@contextmanager
def _peers(deed: Callable[[Work, list[socket.socket]], int], work: Work) -> Iterator[Peers]:
    ours, theirs = multiprocessing.Pipe(duplex=False)
    with ExitStack() as belongings:
        listening = belongings.enter_context(
            socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        )
        place = listening.getsockname()
        # Forked before a loop or a thread exists here.
        process = multiprocessing.get_context("fork").Process(
            target=_be_peer, args=(deed, work, place, theirs), daemon=True
        )
        process.start()
        belongings.callback(process.join)
        belongings.callback(process.terminate)
        socks = []
        for _ in range(work.count):
            sock, _ = listening.accept()
            unpaced(sock)
            sock.setblocking(False)
            socks.append(belongings.enter_context(sock))
        yield Peers(socks, ours)


def _be_peer(
    deed: Callable[[Work, list[socket.socket]], int],
    work: Work,
    place: tuple[str, int],
    told: Connection,
) -> None:
    socks = [socket.create_connection(place) for _ in range(work.count)]
    for sock in socks:
        unpaced(sock)
    with suppress(OSError):  # the relay has failed: it is the other side that says so
        told.send(deed(work, socks))


def unpaced(sock: socket.socket) -> None:
    """Have it send as the namespaces of `make bench` do: pacing would be measured instead."""
    if hasattr(socket, "TCP_CONGESTION"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, CONGESTION.encode())


def feed(work: Work, socks: list[socket.socket]) -> int:
    """Send one payload on each connection, then FIN."""

    def send(sock: socket.socket) -> int:
        for start in range(0, work.size, len(BLOCK)):
            sock.sendall(BLOCK[: work.size - start])
        sock.shutdown(socket.SHUT_WR)
        return work.size

    with ThreadPoolExecutor(work.streams) as threads:
        return sum(threads.map(send, socks))


def drain(work: Work, socks: list[socket.socket]) -> int:
    """Read each connection up to its end."""

    def read(sock: socket.socket) -> int:
        buffer, count = bytearray(MIB), 0
        while read := sock.recv_into(buffer):
            count += read
        return count

    with ThreadPoolExecutor(work.streams) as threads:
        return sum(threads.map(read, socks))


# Telling.


@click.command()
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="How often each is measured.",
)
@click.option(
    "--only",
    "movers",
    type=click.Choice(list(MOVERS)),
    multiple=True,
    default=list(MOVERS),
    help="One of them; may be repeated.",
)
def main(rounds: int, movers: tuple[str, ...]) -> None:
    """Measure the relay's loop alone and print a table of medians."""
    raise_descriptor_limit()
    chosen = {name: MOVERS[name] for name in movers}
    click.echo(
        "Processor time for each payload, or for each GiB, and the rate: compare within a line."
    )
    click.echo("splice and copy are ftpweir's own; streams is asyncio's, for comparison.\n")
    click.echo(f"{'payload':>9} {'at once':>7}" + "".join(f" {name:>27}" for name in chosen))
    for work in WORKS:
        costs: dict[str, list[Cost]] = {name: [] for name in chosen}
        for _ in range(rounds):  # in alternation: what the machine does meanwhile meets all alike
            for name, mover in chosen.items():
                costs[name].append(measure(mover, work))
        cells = "".join(f" {_cell(work, costs[name]):>27}" for name in chosen)
        click.echo(f"{_size(work.size):>9} {work.streams:>7}{cells}")
    click.echo("\nCPU of a turn of the loop while 10 bulk relays run (median, 99 %, longest)")
    for name, mover in chosen.items():
        took = [1000 * seconds for seconds in measure_turns(mover, TEN)]
        figures = (took[len(took) // 2], took[len(took) * 99 // 100], took[-1])
        click.echo(f"{name:>17} " + " ".join(f"{figure:8.2f} ms" for figure in figures))


def _cell(work: Work, costs: list[Cost]) -> str:
    cpu = statistics.median(cost.cpu for cost in costs)
    elapsed = statistics.median(cost.elapsed for cost in costs)
    if work.is_small:
        return f"{cpu / work.count * 1e6:.0f} us CPU, {work.count / elapsed:.0f}/s"
    gib = work.size * work.count / GIB
    return f"{cpu / gib:.3f} CPU s/GiB, {gib / elapsed:.2f} GiB/s"


def _size(count: int) -> str:
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if count >= unit:
            return f"{count // unit} {name}"
    return f"{count} B"


if __name__ == "__main__":
    main()
