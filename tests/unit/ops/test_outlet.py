"""Lines go out whole and in order, or it is said that they do not; nobody is waited for."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from proxy.ops.outlet import AT_ONCE, Outlet

LINE = "x" * 99 + "\n"


@pytest.fixture(params=["pipe", "socket"])
def ends(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    """Where is read, and where is written."""
    if request.param == "pipe":
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 2 * AT_ONCE)
    else:  # as the journal's
        ours, its = socket.socketpair()
        its.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * AT_ONCE)
        reader, writer = ours.detach(), its.detach()
    yield reader, writer
    os.close(reader)
    os.close(writer)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("size", [1, 30, 100])
def test_a_reader_that_stands_still_is_not_waited_for_and_later_reads_whole_lines(
    ends: tuple[int, int], size: int
) -> None:
    reader, writer = ends
    outlet, whole, lines = Outlet(writer, patience=0.01), 0, LINE * size
    with contextlib.suppress(BlockingIOError):
        while True:
            outlet.write(lines)
            whole += 1
    with pytest.raises(BlockingIOError, match="nobody reads it"):
        outlet.write(lines)
    came = read_what_there_is(reader)
    outlet.write("after\n")
    came += os.read(reader, 100)
    assert came.startswith(lines.encode() * whole)
    assert came.endswith(b"\nafter\n")


def test_a_reader_that_is_slow_is_waited_for(ends: tuple[int, int]) -> None:
    reader, writer = ends
    outlet, count = Outlet(writer, patience=60.0), 1000
    copied: list[bytes] = []

    def read() -> None:
        while sum(map(len, copied)) < count * len(LINE):
            copied.append(os.read(reader, 1000))

    reading = threading.Thread(target=read)
    reading.start()
    for _ in range(count):
        outlet.write(LINE)
    reading.join()
    assert b"".join(copied) == LINE.encode() * count


def read_what_there_is(reader: int) -> bytes:
    os.set_blocking(reader, False)
    came = b""
    try:
        while more := os.read(reader, 1 << 16):
            came += more
    except BlockingIOError:
        pass
    return came


def test_how_others_write_to_the_same_descriptor_is_left_as_it_is(ends: tuple[int, int]) -> None:
    _, writer = ends
    Outlet(writer).write(LINE)
    assert os.get_blocking(writer)


def test_a_reader_that_has_gone_and_a_disk_that_is_full_are_errors() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with pytest.raises(BrokenPipeError):
        Outlet(writer).write(LINE)
    os.close(writer)
    full = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(OSError, match="No space left"):
        Outlet(full).write(LINE)
    os.close(full)


def test_a_terminal_is_told_apart() -> None:
    master, terminal = os.openpty()
    assert Outlet(terminal).is_terminal
    os.close(terminal)
    os.close(master)
    with open(os.devnull, "wb") as nowhere:
        assert not Outlet(nowhere.fileno()).is_terminal


def test_where_standard_error_is_closed_nothing_is_written_to_what_has_its_number() -> None:
    program = (
        "import os; other = os.open('/dev/full', os.O_WRONLY); assert other == 2;"
        "from proxy.ops.outlet import standard_error; standard_error().write('line')"
    )
    command = ["/bin/sh", "-c", 'exec "$0" -c "$1" 2>&-', sys.executable, program]
    assert subprocess.run(command, check=False).returncode == 0
