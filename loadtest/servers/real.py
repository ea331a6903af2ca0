"""vsftpd, pure-ftpd and proftpd, when they are installed: each with the limits of the scenario.

They run as root serves them best, on a port of their own, with one virtual login; nothing of the
machine's own configuration is read or changed.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..children import CHECKOUT, Child, ChildFailed
from ..ports import free_port
from ..scenario import Scenario
from .wishes import Evidence

SEARCH = os.pathsep.join(
    [
        os.environ.get("PATH", ""),
        "/usr/local/sbin:/usr/sbin:/sbin",
        *(str(CHECKOUT / ".cache/servers/usr" / part) for part in ("sbin", "bin")),
    ]
)
NOBODY = 65534


class Real:
    """One real server. It injects no faults, and sees no firewall: only a lab can count for it."""

    def __init__(
        self,
        scenario: Scenario,
        files: Path,
        folder: Path,
        *,
        host: str = "127.0.0.1",
        before: Sequence[str] = (),
    ) -> None:
        self.host = host
        self.port = 0
        self._kind = str(scenario.server.kind)
        self._scenario = scenario
        self._files = files
        self._folder = folder
        self._before = before
        self._child: Child | None = None

    @property
    def pids(self) -> list[int]:
        """The first process; sessions may have others."""
        return [self._child.pid] if self._child is not None else []

    @property
    def live(self) -> dict[str, Any]:
        """Nothing: real servers keep it to themselves."""
        return {}

    async def start(self) -> None:
        """Return when it greets. Raises ChildFailed."""
        if os.geteuid() != 0:
            raise ChildFailed(f"{self._kind} needs root; the embedded server does not")
        self.port = free_port()
        command = await asyncio.to_thread(COMMANDS[self._kind], self)
        self._child = Child(
            self._kind, [*self._before, *command], self._folder / f"{self._kind}.log"
        )
        await self._child.start()
        await self._child.settled()

    async def listen(self) -> None:
        """Read what it prints until it ends."""
        assert self._child is not None
        await self._child.drain()

    async def stop(self) -> Evidence | None:
        """End it and all its sessions."""
        if self._child is not None:
            await self._child.stop(within=3.0)
        return None

    @property
    def _most(self) -> int:
        return self._scenario.server.sessions_per_address or 0

    def _vsftpd(self) -> list[str]:
        empty = self._folder / "empty"
        empty.mkdir()
        settings = {
            "listen": "YES",
            "listen_address": self.host,
            "listen_port": self.port,
            "background": "NO",
            "anonymous_enable": "YES",
            "no_anon_password": "NO",
            "ftp_username": somebody_at_home(),
            "anon_root": self._files,
            "anon_upload_enable": "YES",
            "anon_world_readable_only": "NO",
            "anon_umask": "022",
            "write_enable": "YES",
            "allow_writeable_chroot": "YES",
            "secure_chroot_dir": empty,
            "max_per_ip": self._most,
            # Its list of allowed system calls is older than today's kernels.
            "seccomp_sandbox": "NO",
            "isolate": "NO",
            "isolate_network": "NO",
        }
        return [program("vsftpd"), str(self._write("vsftpd.conf", settings, "{}={}"))]

    def _pure_ftpd(self) -> list[str]:
        people = self._folder / "people"
        server = self._scenario.server
        numbers = f"{NOBODY}:{NOBODY}::{self._files}/./" + ":" * 12
        people.write_text(f"{server.user}:{_hashed(server.password)}:{numbers}\n")
        database = self._folder / "people.pdb"
        subprocess.run(
            [program("pure-pw"), "mkdb", str(database), "-f", str(people)],
            check=True,
            capture_output=True,
        )
        return [
            program("pure-ftpd"),
            *("--bind", f"{self.host},{self.port}", "--ipv4only"),
            *("--login", f"puredb:{database}", "--pidfile", str(self._folder / "pid")),
            *("--maxclientsnumber", "5000", "--maxclientsperip", str(self._most or 5000)),
            *("--chrooteveryone", "--noanonymous", "--dontresolve"),
        ]

    def _proftpd(self) -> list[str]:
        people, groups = self._folder / "people", self._folder / "groups"
        server = self._scenario.server
        people.write_text(
            f"{server.user}:{_hashed(server.password)}:{NOBODY}:{NOBODY}::{self._files}:/bin/sh\n"
        )
        groups.write_text(f"{server.user}:x:{NOBODY}:\n")
        people.chmod(0o640)
        groups.chmod(0o640)
        settings = {
            "ServerType": "standalone",
            "DefaultAddress": self.host,
            "SocketBindTight": "on",
            "Port": self.port,
            "User": "nobody",
            "Group": "nogroup",
            "MaxInstances": 5000,
            "DefaultRoot": "~",
            "RequireValidShell": "off",
            "AllowOverwrite": "on",
            "AuthOrder": "mod_auth_file.c",
            "AuthUserFile": people,
            "AuthGroupFile": groups,
            "PidFile": self._folder / "pid",
            "ScoreboardFile": self._folder / "scoreboard",
            "DelayEngine": "off",
            "ControlsEngine": "off",
            "UseReverseDNS": "off",
            "WtmpLog": "off",
            "TransferLog": "none",
            "SystemLog": self._folder / "system.log",
        }
        if self._most:
            settings["MaxClientsPerHost"] = self._most
        config = self._write("proftpd.conf", settings, "{} {}")
        return [program("proftpd"), "--nodaemon", "--config", str(config)]

    def _write(self, name: str, settings: dict[str, Any], form: str) -> Path:
        file = self._folder / name
        file.write_text("".join(form.format(*it) + "\n" for it in settings.items()))
        return file


COMMANDS: dict[str, Callable[[Real], list[str]]] = {
    "vsftpd": Real._vsftpd,
    "pure-ftpd": Real._pure_ftpd,
    "proftpd": Real._proftpd,
}


def program(name: str) -> str:
    """Return the path of an installed program. Raises ChildFailed."""
    found = shutil.which(name, path=SEARCH)
    if found is None:
        raise ChildFailed(f"{name} is not installed; `kind: embedded` needs no server")
    return found


def somebody_at_home() -> str:
    """Name a user without rights whose home exists: vsftpd goes there before it goes elsewhere."""
    for user in pwd.getpwall():
        if user.pw_name in ("ftp", "daemon", "bin") and Path(user.pw_dir).is_dir():
            return user.pw_name
    raise ChildFailed("vsftpd needs a user such as ftp or daemon whose home directory exists")


def _hashed(password: str) -> str:
    command = [program("openssl"), "passwd", "-5", "-salt", "rounds=1000$load", password]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
