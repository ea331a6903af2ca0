"""The real ftpweir, started as its users start it: a process with a configuration file."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from loadtest.ports import free_port

from . import ports, sockets
from .backend import Backend
from .namespaces import inside
from .programs import CHECKOUT, program
from .scripted import Scripted
from .waiting import until


def exactly(slots: int, *, hold: float, guard: float = 0.3, **more: object) -> dict[str, object]:
    """Return a budget of just so many slots, each held for so many seconds after its end."""
    return {
        "connections": slots,
        "time_wait": f"{hold:g}s",
        "guard": f"{1000 * guard:.0f}ms",
        "headroom": "0%",
        **more,
    }


class Ftpweir:
    """One running proxy; a context manager.

    `upstream` and the other sections are those of the configuration file, merged over what a test
    needs to run beside others; `listen` tells of its one address what the file would. `log` stays
    readable after the end.
    """

    def __init__(
        self,
        server: Backend | Scripted,
        *,
        host: str = "127.0.0.1",
        port: int = 0,  # 0: one that the kernel calls free
        netns: str | None = None,
        environment: Mapping[str, str] | None = None,
        workers: int = 1,
        stderr: int | None = None,  # a descriptor; None: `log` has it too
        upstream: Mapping[str, object] | None = None,
        **sections: object,
    ) -> None:
        self.host = host
        self.port = port
        self.returncode: int | None = None
        self._netns = netns
        self._workers = workers
        self._stderr = stderr
        self._server = server
        self._environment = environment or {}
        self._upstream = upstream or {}
        self._sections = sections
        self._ports: tuple[range, ...] = ()  # for clients, for the server
        self._folder = Path()
        self._last_log = ""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        died = self._process is not None and self._process.poll() is not None
        self.stop()
        if died and error is None:
            raise RuntimeError(f"ftpweir ended by itself ({self.returncode}):\n{self.log}")

    @property
    def address(self) -> str:
        """HOST:PORT, as clients reach it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        """The number of the process."""
        if self._process is None:
            raise RuntimeError("ftpweir is not running")
        return self._process.pid

    @property
    def config_file(self) -> Path:
        """The file it was started with; rewrite it and send SIGHUP to reload."""
        return self._folder / "ftpweir.yaml"

    @property
    def log(self) -> str:
        """All lines it has printed so far; of one that it is still writing, nothing."""
        if self._folder == Path():
            return self._last_log
        lines, end, _ = (self._folder / "ftpweir.log").read_text(errors="replace").rpartition("\n")
        return lines + end

    def config(self) -> dict[str, Any]:
        """Return the configuration as it goes into the file."""
        for_clients, for_server = (f"{window[0]}-{window[-1]}" for window in self._ports)
        upstream = {"host": self._server.host, "port": self._server.port, "ports": for_server}
        defaults: dict[str, Any] = {
            "listen": self.address,
            "passive": {"ports": for_clients},
            "upstream": {**upstream, **self._upstream},
            "status": "none",
            "log": {"format": "json"},
        }
        for name, section in self._sections.items():
            known = defaults.get(name)
            if name == "listen" and isinstance(section, Mapping):
                section = [{"address": self.address, **section}]
            elif isinstance(known, dict) and isinstance(section, Mapping):
                section = {**known, **section}
            defaults[name] = section
        return defaults

    def start(self) -> None:
        """Return when it has said that it is ready."""
        self.port = self.port or self._free_port()
        self._ports = self._ports or (ports.lend(), ports.lend())
        self._folder = Path(tempfile.mkdtemp(prefix="ftpweir-proxy-"))
        self.config_file.write_text(yaml.safe_dump(self.config(), sort_keys=False))
        self._launch()

    def crash_and_restart(self) -> None:
        """End it by SIGKILL in whatever it does, and start it again in the same folder."""
        if self._process is None:
            raise RuntimeError("ftpweir is not running")
        self._process.kill()
        self._process.wait()
        self._launch()

    def drain_and_restart(
        self, within: float = 15.0, *, ask: Callable[[], object] | None = None
    ) -> int:
        """Ask it to drain, start it again once it has ended, and return its exit code."""
        if ask is None:
            self.signal(signal.SIGTERM)
        else:
            ask()
        code = self.wait_for_end(within)
        self._launch()
        return code

    def reload(self, **sections: object) -> None:
        """Write the file anew with these sections instead of those it had, and have it read."""
        self.write(**sections)
        self.signal(signal.SIGHUP)

    def write(self, **sections: object) -> None:
        """Write the file anew with these sections instead of those it had; nobody is told."""
        self._sections = {**self._sections, **sections}
        self.config_file.write_text(yaml.safe_dump(self.config(), sort_keys=False))

    def _launch(self) -> None:
        command = self.command()
        if self._netns:
            command = [program("ip"), "netns", "exec", self._netns, *command]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(CHECKOUT)}
        environment |= self._environment
        environment.pop("PYTHONASYNCIODEBUG", None)  # it would slow down what is measured
        with (self._folder / "ftpweir.log").open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self._folder,
                env=environment,
                stdout=log,
                stderr=log if self._stderr is None else self._stderr,
                pass_fds=self.handed_over,
            )
        try:
            until(self._is_ready, "ftpweir says that it is ready", 30)
        except BaseException as error:
            self.stop()
            error.add_note(f"log of ftpweir:\n{self.log}")
            raise

    def command(self) -> list[str]:
        """How it is started."""
        command = [sys.executable, "-m", "proxy", "run", "-c", str(self.config_file)]
        return command if self._workers == 1 else [*command, "--workers", str(self._workers)]

    @property
    def handed_over(self) -> tuple[int, ...]:
        """The descriptors that it gets beside the usual three."""
        return ()

    def stop(self, within: float = 15.0) -> None:
        """Ask it to drain; after `within` seconds end it at once. Its log stays in `log`."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self.returncode = self._process.wait(timeout=within)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self.returncode = self._process.wait()
            self._process = None
        if self._folder != Path():
            self._last_log = self.log
            shutil.rmtree(self._folder)
            self._folder = Path()
        for window in self._ports:
            ports.give_back(window)
        self._ports = ()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal: SIGHUP reloads, SIGTERM drains."""
        os.kill(self.pid, number)

    def log_contains(self, pattern: str) -> bool:
        """Tell whether a line printed so far matches the regular expression."""
        return re.search(pattern, self.log, re.MULTILINE) is not None

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the log's events of that name so far, oldest first."""
        told = (json.loads(line) for line in self.log.splitlines() if line.startswith("{"))
        return [event for event in told if event.get("event") == name]

    def wait_for_log(self, pattern: str, within: float = 10.0) -> None:
        """Return once a printed line matches."""
        until(lambda: self.log_contains(pattern), f"ftpweir prints {pattern!r}", within)

    def wait_for_end(self, within: float = 15.0) -> int:
        """Return the exit code once the process has ended by itself."""
        if self._process is None:
            raise RuntimeError("ftpweir is not running")
        return self._process.wait(timeout=within)

    def sessions(self) -> int:
        """Return the number of client control connections that are established."""
        return sockets.count(self.pid, local_port=self.port, states={sockets.State.ESTABLISHED})

    def passive_data(self) -> frozenset[sockets.Socket]:
        """Return the data connections, open or in TIME_WAIT, that clients made to its listeners.

        True only when `host` is not the server's: vsftpd and pure-ftpd listen at any port.
        """
        window = self._ports[0]
        address = sockets.as_listed(self.host)
        return frozenset(
            entry
            # Under load a reading may miss an entry: three of them hardly miss the same one.
            for entry in frozenset.union(*(sockets.table(self.pid) for _ in range(3)))
            if (entry.local_address == address and entry.local_port in window)
            or (entry.remote_address == address and entry.remote_port in window)
            if entry.state != sockets.State.LISTEN
        )

    def _is_ready(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError("ftpweir ended before it was ready")
        return self.log_contains(r"\bready\b")

    def _free_port(self) -> int:
        if self._netns:
            return inside(self._netns, lambda: free_port(self.host))
        return free_port(self.host)
