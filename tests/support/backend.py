"""What all real servers of the lab have in common: start, stop, files, log, sessions.

Knows no server's configuration: see servers.py.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self, TypeVar

from loadtest.ports import free_port

from . import sockets
from .authority import Pem
from .namespaces import inside
from .programs import CHECKOUT, need_root, program
from .users import ALICE, USERS, User
from .waiting import until
from .world import World

Found = TypeVar("Found")

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close() sends RST
# As the four logs write a command; a FEAT reply names the verbs after a space.
DATA_VERB = re.compile(r'(?i)(?:["\[]|<- )(PASV|EPSV|PORT|EPRT)\b')
STARTS = 3  # another program may take the port that was free a moment ago


@dataclass(kw_only=True)
class Backend(ABC):
    """One real FTP server: a context manager, and what a test asks of it."""

    kind: ClassVar[str]

    host: str = "127.0.0.1"
    port: int = 0  # 0: one that the kernel calls free
    max_per_ip: int = 0  # 0: no limit
    passive_ports: tuple[int, int] | None = None
    pasv_address: str | None = None  # told in 227 instead of our own
    netns: str | None = None
    tls: Pem | None = None  # its certificate; TLS is then required, for data too
    is_implicit: bool = False  # TLS from the first byte on
    folder: Path = field(init=False, default=Path())
    log: str = field(init=False, default="")  # all of it, once stopped
    _command: list[str] = field(init=False, default_factory=list)
    _process: subprocess.Popen[bytes] | None = field(init=False, default=None)
    _world: World | None = field(init=False, default=None)
    _undo: ExitStack = field(init=False, default_factory=ExitStack)

    @abstractmethod
    def command(self) -> list[str]:
        """Write the configuration into `folder` and return the command in the foreground."""

    @classmethod
    @abstractmethod
    def version(cls) -> str:
        """The version in tables."""

    @property
    def address(self) -> str:
        """HOST:PORT, as upstream and URLs write it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def homes(self) -> Path:
        """The folder of the users' homes."""
        return self.folder / "homes"

    @property
    def log_file(self) -> Path:
        """Where the server writes; its standard output and error go there too."""
        return self.folder / "server.log"

    @property
    def pid(self) -> int:
        """The number of the server's first process."""
        if self._process is None:
            raise RuntimeError(f"{self.kind} is not running")
        return self._process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Return when the server has greeted a first visitor and forgotten it again."""
        need_root(self.kind)
        fixed = self.port
        for attempt in range(1, STARTS + 1):
            try:
                self._start()
                return
            except BaseException as error:
                self.stop()
                if not isinstance(error, TimeoutError) or fixed or attempt == STARTS:
                    error.add_note(f"log of {self.kind}:\n{self.log}")
                    raise
                self.port = 0

    def stop(self) -> None:
        """End the server with all its sessions; its files go, its log stays in `log`."""
        if self._process is not None:
            self._end_processes(self._process)
        self._process = None
        self._leave_world()
        self._undo.close()
        if self.folder != Path():
            self.log = self.log_text()
            shutil.rmtree(self.folder)
            self.folder = Path()

    def crash_and_restart(self) -> None:
        """Kill it with all its sessions, and start it again with the same files; its port stays."""
        self.crash()
        self.restart()

    def crash(self) -> None:
        """Kill it with all its sessions; its files stay."""
        if self._process is None:
            raise RuntimeError(f"{self.kind} is not running")
        self._process.kill()
        self._process.wait()
        self._kill_the_rest()

    def restart(self) -> None:
        """Start it again after a crash, with the same files at the same port."""
        self._launch()

    def home(self, user: User = ALICE) -> Path:
        """Return the folder that the user sees as /."""
        return self.homes / user.name

    def place(self, name: str, content: bytes, user: User = ALICE) -> Path:
        """Put a file that belongs to the user below its home, as if it had always been there."""
        path = self.home(user) / name
        for folder in reversed(path.relative_to(self.homes).parents):
            if not (self.homes / folder).exists():
                (self.homes / folder).mkdir()
                os.chown(self.homes / folder, user.number, user.number)
        path.write_bytes(content)
        os.chown(path, user.number, user.number)
        return path

    def sessions(self) -> int:
        """Return the number of control connections that are established at one moment."""
        established = sockets.State.ESTABLISHED
        return sockets.count_at_once(self.pid, local_port=self.port, state=established)

    def processes(self) -> set[int]:
        """Return the numbers of all its processes."""
        return self._world.processes() if self._world else set()

    def log_text(self) -> str:
        """Return what the server has logged so far."""
        if self.folder == Path():
            return self.log
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def log_contains(self, pattern: str) -> bool:
        """Tell whether a line of the log matches the regular expression now."""
        return re.search(pattern, self.log_text(), re.MULTILINE) is not None

    def wait_for_log(self, pattern: str, within: float = 10.0) -> None:
        """Return once a line of the log matches."""
        until(lambda: self.log_contains(pattern), f"{self.kind} logs {pattern!r}", within)

    def data_verbs(self, since: int = 0) -> set[str]:
        """Return which of PASV, EPSV, PORT and EPRT are in the log after `since` characters."""
        return {verb.upper() for verb in DATA_VERB.findall(self.log_text()[since:])}

    def wait_until_alone(self) -> None:
        """Return once nobody is connected and no process of a session is left to be counted."""
        until(self._is_alone, f"{self.kind} forgets its visitors")

    def connect(self) -> socket.socket:
        """Open a connection to the server's control port, inside its namespace."""
        return self._there(lambda: socket.create_connection((self.host, self.port), timeout=10))

    def _start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"ftpweir-{self.kind}-"))
        self.folder.chmod(0o755)  # the users must be able to reach their homes
        self.homes.mkdir()
        for user in USERS:
            self.home(user).mkdir()
            os.chown(self.home(user), user.number, user.number)
        self.port = self.port or self._there(lambda: free_port(self.host))
        self._command = self.command()
        self._launch()
        self.wait_until_alone()

    def _launch(self) -> None:
        # A mount namespace of its own is also how all its processes are found again.
        command = [program("unshare"), "-m", *self._command]
        if self.netns:
            command = [program("ip"), "netns", "exec", self.netns, *command]
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C at the terminal is for pytest only
            )
        until(self._greets, f"{self.kind} greets on {self.address}")
        self._leave_world()
        self._world = World(self.pid)

    def _leave_world(self) -> None:
        if self._world is not None:
            self._world.close()
        self._world = None

    def _greets(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise TimeoutError(f"{self.kind} ended at once")
        try:
            with self.connect() as visitor:
                # A reset leaves no TIME_WAIT that a test of the budget would count.
                visitor.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                return self._greeting(visitor) == b"220"
        except OSError:
            return False

    def _greeting(self, visitor: socket.socket) -> bytes:
        if not self.is_implicit:
            return visitor.recv(3)
        with _careless().wrap_socket(visitor) as protected:
            return protected.recv(3)

    def _is_alone(self) -> bool:
        return self.sessions() == 0 and self.processes() == {self.pid}

    def _there(self, deed: Callable[[], Found]) -> Found:
        return inside(self.netns, deed) if self.netns else deed()

    def _end_processes(self, process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        try:
            process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._kill_the_rest()

    def _kill_the_rest(self) -> None:
        # Session processes outlive their listener, and those of vsftpd leave its session.
        until(self._has_killed_all, f"all processes of {self.kind} are gone")

    def _has_killed_all(self) -> bool:
        members = self.processes()
        for member in members:  # one of them may have made another meanwhile: that is for next time
            with suppress(ProcessLookupError):
                os.kill(member, signal.SIGKILL)
        return not members


def _careless() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
