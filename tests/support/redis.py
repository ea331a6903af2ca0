"""A real redis-server, for proxies that share a budget: start, stop, kill, freeze, forget."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from loadtest.ports import free_port

from .namespaces import inside
from .programs import program
from .waiting import until


class RedisServer:
    """One redis-server with a Unix socket, and a TCP port on every address; a context manager."""

    def __init__(self, netns: str | None = None) -> None:
        self._netns = netns
        self._folder = Path()
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="ftpweir-redis-"))
        self.port = self._free_port()
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        shutil.rmtree(self._folder)

    @property
    def socket(self) -> Path:
        """Where it listens on this machine."""
        return self._folder / "redis.sock"

    @property
    def url(self) -> str:
        """What goes into a configuration."""
        return f"unix://{self.socket}?db=0"

    def url_at(self, host: str) -> str:
        """The same server by another address of its namespace."""
        return f"redis://{host}:{self.port}/0"

    def start(self) -> None:
        """Return when it answers."""
        command = [program("redis-server"), "--unixsocket", str(self.socket), "--save", ""]
        command += ["--port", str(self.port), "--bind", "0.0.0.0", "--protected-mode", "no"]
        if self._netns:
            command = [program("ip"), "netns", "exec", self._netns, *command]
        with (self._folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log)
        until(self._answers, "redis-server answers")

    def kill(self) -> None:
        """End it at once; all it knew is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            self.socket.unlink(missing_ok=True)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal: SIGSTOP freezes it, SIGCONT lets it go on."""
        assert self._process is not None
        self._process.send_signal(number)

    def ask(self, *words: str) -> str:
        """Return what it answers to a command."""
        command = [program("redis-cli"), "-s", str(self.socket), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def _answers(self) -> bool:
        try:
            return self.socket.exists() and self.ask("PING") == "PONG"
        except subprocess.CalledProcessError:
            return False

    def _free_port(self) -> int:
        if self._netns:
            return inside(self._netns, lambda: free_port("127.0.0.1"))
        return free_port("127.0.0.1")
