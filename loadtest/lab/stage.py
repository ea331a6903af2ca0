"""Where the demo plays: a limited server behind a firewall, and the side on which scripts live.

`real` is the lab with its namespaces, for root; `emulated` stays on the loopback and needs nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import IO, TypeAlias

import yaml

from .namespaces import lab
from .scanner import Scanner
from .server import Wishes

FILE = "file.bin"
SIZE = 64 * 1024
PORTS = 400  # for the data connections of one server or proxy
# Below those that the kernel lends to outgoing connections.
_first_ports = count(21_000, PORTS)


@dataclass(slots=True)
class Counted:
    """What the firewall says."""

    most: int = 0
    banned: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stage:
    """One server, and its firewall's count."""

    host: str
    port: int
    inside: list[str]  # in front of every command on the scripts' side
    counted: Callable[[], Counted]
    content: bytes
    kind: str


Build: TypeAlias = Callable[[int, int], AbstractContextManager[Stage]]  # limit, sessions


@contextmanager
def emulated(limit: int, sessions: int) -> Iterator[Stage]:
    """Let the server itself count its real sockets, and fall silent."""
    counted = Counted()

    def listen(lines: IO[str]) -> None:
        for line in lines:
            told = json.loads(line)
            counted.most, counted.banned = told["most"], told["banned"]

    with _server([], "127.0.0.1", limit, sessions) as (port, lines, content):
        listener = threading.Thread(target=listen, args=(lines,), daemon=True)
        listener.start()
        yield Stage("127.0.0.1", port, [], lambda: counted, content, "emulated firewall")


@contextmanager
def real(limit: int, sessions: int) -> Iterator[Stage]:
    """Put a scanner like lfd and nftables before the server. As root."""
    with (
        lab() as one,
        _server(one.server.inside(), one.server.address, None, sessions) as (port, _, content),
        Scanner(
            one.server.anchor, limit=limit, ban=lambda address: one.ban(address, 3600)
        ) as scanner,
    ):

        def counted() -> Counted:
            return Counted(scanner.most, sorted(scanner.banned))

        inside = one.client.inside()
        yield Stage(one.server.address, port, inside, counted, content, "nftables firewall")


@contextmanager
def ftpweir(stage: Stage, limit: int, sessions: int) -> Iterator[tuple[str, int]]:
    """Run the proxy on the scripts' side of a stage; yield where it listens."""
    config = {
        "listen": "127.0.0.1:0",
        "passive": {"ports": _ports()},
        "upstream": {"host": stage.host, "port": stage.port, "sessions": sessions},
        "budget": {"connections": limit, "profile": "csf", "close": "reset"},
        "state": "none",
        "log": {"format": "json", "level": "warning"},
    }
    with tempfile.TemporaryDirectory(prefix="ftpweir-demo-") as folder:
        file = Path(folder, "ftpweir.yaml")
        file.write_text(yaml.safe_dump(config))
        log = Path(folder, "ftpweir.log")
        command = [*stage.inside, sys.executable, "-m", "proxy", "run", "-c", str(file)]
        with log.open("w") as errors, _process(command, errors) as process:
            assert process.stdout is not None
            ready = process.stdout.readline()
            if not ready.startswith("ready"):
                raise RuntimeError(f"ftpweir did not start: {log.read_text()}")
            host, _, port = ready.split()[-1].rpartition(":")
            yield host, int(port)


@contextmanager
def _server(
    inside: list[str], host: str, limit: int | None, sessions: int
) -> Iterator[tuple[int, IO[str], bytes]]:
    content = os.urandom(SIZE)
    first, _, last = _ports().partition("-")
    with tempfile.TemporaryDirectory(prefix="ftpweir-demo-") as folder:
        Path(folder, FILE).write_bytes(content)
        wishes = Wishes(host, 0, (int(first), int(last)), folder, sessions, limit)
        command = [*inside, sys.executable, "-m", "loadtest.lab.server"]
        with _process(command, None, text=json.dumps(asdict(wishes))) as process:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["port"], process.stdout, content


@contextmanager
def _process(
    command: list[str], errors: IO[str] | None, text: str = ""
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
    )
    try:
        assert process.stdin is not None
        process.stdin.write(text)
        process.stdin.close()
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ports() -> str:
    first = next(_first_ports)
    return f"{first}-{first + PORTS - 1}"
