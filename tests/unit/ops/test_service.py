"""The words that systemd hears, through a real datagram socket."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.ops.service import EVERY, ServiceManager
from proxy.phase import Phase
from tests.support.raw_client import patiently


class Manager:
    """Listens as a service manager does."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.bind("\0" + address[1:] if address.startswith("@") else address)
        self._sock.setblocking(False)

    def heard(self) -> dict[str, str]:
        lines = self._sock.recv(4096).decode().splitlines()
        return dict(line.split("=", 1) for line in lines)

    async def hear(self) -> dict[str, str]:
        async with patiently():
            data = await asyncio.get_running_loop().sock_recv(self._sock, 4096)
        return dict(line.split("=", 1) for line in data.decode().splitlines())

    def is_quiet(self) -> bool:
        try:
            self._sock.recv(4096)
        except BlockingIOError:
            return True
        return False

    def close(self) -> None:
        self._sock.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(str(tmp_path / "notify"))
    yield manager
    manager.close()


def service(manager: Manager, **more: str) -> ServiceManager:
    return ServiceManager({"NOTIFY_SOCKET": manager.address, **more}, os.getpid())


def test_it_says_ready_once_it_serves(manager: Manager) -> None:
    one = service(manager)
    one.entered(Phase.STARTING)
    assert manager.is_quiet()
    one.entered(Phase.SERVING)
    assert manager.heard()["READY"] == "1"


def test_a_reload_is_told_with_the_time_and_its_end_as_ready(manager: Manager) -> None:
    one = service(manager)
    before = time.monotonic_ns() // 1000
    one.entered(Phase.RELOADING)
    told = manager.heard()
    assert told["RELOADING"] == "1"
    assert before <= int(told["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
    one.entered(Phase.SERVING)
    assert manager.heard()["READY"] == "1"


def test_the_end_is_told_once(manager: Manager) -> None:
    one = service(manager)
    one.entered(Phase.STOPPING)
    assert manager.heard()["STOPPING"] == "1"
    one.entered(Phase.DRAINING)
    one.entered(Phase.OVER)
    assert manager.is_quiet()


async def test_the_watchdog_hears_of_it_while_it_is_sound(manager: Manager) -> None:
    one = service(manager, WATCHDOG_USEC="30000")
    assert one.every == 0.01
    sound = [True, False]
    async with asyncio.TaskGroup() as tasks:
        telling = tasks.create_task(one.keep_told(lambda: sound[0], lambda: "3 of 380"))
        told = await manager.hear()
        assert told["STATUS"] == "3 of 380"
        while "WATCHDOG" not in told:  # a loop that is late says nothing, and here it may be
            told = await manager.hear()
        sound[0] = False
        await manager.hear()  # may have been on its way
        assert "WATCHDOG" not in await manager.hear()
        telling.cancel()


async def test_a_drain_asks_for_more_time(manager: Manager) -> None:
    one = service(manager, WATCHDOG_USEC="30000")
    one.entered(Phase.STOPPING)
    await manager.hear()
    async with asyncio.TaskGroup() as tasks:
        telling = tasks.create_task(one.keep_told(lambda: True, lambda: "draining"))
        assert (await manager.hear())["EXTEND_TIMEOUT_USEC"] == "30000"
        telling.cancel()


@pytest.mark.parametrize(
    "environ",
    [{}, {"WATCHDOG_USEC": "soon"}, {"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}],
    ids=["none", "no number", "another process's"],
)
def test_without_a_watchdog_it_only_tells_its_status(environ: dict[str, str]) -> None:
    assert ServiceManager(environ, os.getpid()).every == EVERY


def test_a_watchdog_of_this_process_is_obeyed() -> None:
    environ = {"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}
    assert ServiceManager(environ, os.getpid()).every == 1.0


async def test_without_a_manager_nothing_is_told() -> None:
    nobody = ServiceManager({}, os.getpid())
    nobody.tell("READY=1")
    await nobody.keep_told(lambda: True, lambda: "")
    assert not nobody.is_there


def test_a_manager_that_is_gone_does_no_harm(tmp_path: Path) -> None:
    ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "gone")}, 1).entered(Phase.SERVING)


def test_a_name_without_a_file_is_understood() -> None:
    manager = Manager(f"@ftpweir-test-{os.getpid()}")
    try:
        service(manager).tell("READY=1")
        assert manager.heard() == {"READY": "1"}
    finally:
        manager.close()
