"""Where one measurement stands: two namespaces joined by a cable, a server and its files.

Each measurement has a ground of its own, so that no proxy meets the TIME_WAIT sockets of another.
As root; everything vanishes with the block.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from loadtest.children import CHECKOUT
from loadtest.lab.namespaces import Lab, Side, plug_in, program, two_sides
from loadtest.servers.real import program as installed
from loadtest.servers.real import somebody_at_home

from .crowd import BULK, BULK_BLOCKS, SMALL, SMALL_SIZE, UPLOADS, block
from .link import DEVICE

FTP: Final = 21
# A proxy that does not read FTP must forward them all; below those of outgoing connections.
PASSIVE: Final = (20_000, 21_999)
DEFAULT_BUFFER: Final = 4 << 20  # about what Linux allows a connection by default, each way
BUFFERS: Final = 1 << 30  # for all connections together
# What every kernel has and any namespace may choose. One that paces (bbr) sets timers between its
# packets: on a cable without a bottleneck a relay then costs more than twice as much (measured).
CONGESTION: Final = "reno"
RAM: Final = Path("/dev/shm")  # disks would be measured instead


@dataclass(slots=True)
class Ground:
    """One measurement's place. Whatever is started here ends with it."""

    sides: Lab
    folder: Path  # configurations, logs, and `root`: what the server shows
    _logs: list[IO[str]] = field(default_factory=list)
    # Kept: a process that nobody holds loses its standard input, and some end with it.
    _processes: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def root(self) -> Path:
        """The server's files."""
        return self.folder / "root"

    def start(self, side: Side, command: list[str], name: str) -> subprocess.Popen[str]:
        """Start a program on one side; its standard error goes to a log."""
        log = (self.folder / f"{name}.log").open("w")
        self._logs.append(log)
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
        environment.pop("PYTHONASYNCIODEBUG", None)  # it would slow down what is measured
        process = subprocess.Popen(
            side.inside(installed(command[0]), *command[1:]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
            start_new_session=True,
        )
        self._processes.append(process)
        return process

    def complaints(self) -> str:
        """Return the end of everything that was written to standard error."""
        texts = (log.read_text(errors="replace")[-500:] for log in self.folder.glob("*.log"))
        return "\n".join(filter(None, texts))

    def clear(self) -> None:
        """End every process of both sides."""
        for side in (self.sides.client, self.sides.server):
            told = subprocess.run(
                [program("ip"), "netns", "pids", side.name], capture_output=True, text=True
            )
            for pid in map(int, told.stdout.split()):
                if pid != side.anchor:
                    _end(pid, side)
        for process in self._processes:
            with suppress(BrokenPipeError):
                process.communicate()
        for log in self._logs:
            log.close()


def _end(pid: int, side: Side) -> None:
    """Kill a process of one side, and no other that has got its number meanwhile."""
    with suppress(ProcessLookupError, FileNotFoundError):
        process = os.pidfd_open(pid)
        try:
            if _network(pid) == _network(side.anchor):
                signal.pidfd_send_signal(process, signal.SIGKILL)
        finally:
            os.close(process)


def _network(pid: int) -> int:
    return Path(f"/proc/{pid}/ns/net").stat().st_ino


@contextmanager
def ground(files: Path, delay: float) -> Iterator[Ground]:
    """Have a ground while the block lasts; the cable's delay is that of one way.

    `files` is where `lay_out` has put them.
    """
    folder = files / "ground"
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        (folder / "root" / UPLOADS).mkdir(parents=True)
        (folder / "root" / UPLOADS).chmod(0o777)
        for name in (BULK, SMALL):
            os.link(files / name, folder / "root" / name)
        sides = undo.enter_context(two_sides())
        for side in (sides.client, sides.server):
            side.setting("net.ipv4.tcp_congestion_control", CONGESTION)
        here = Ground(sides, folder)
        undo.callback(here.clear)
        if delay:
            _lay_long_cable(here, delay)
        else:
            plug_in(sides)
        yield here


def lay_out(files: Path) -> None:
    """Write the files that every ground shows."""
    files.chmod(0o755)
    with (files / BULK).open("wb") as bulk:
        for _ in range(BULK_BLOCKS):
            bulk.write(block())
    (files / SMALL).write_bytes(block()[:SMALL_SIZE])


def _lay_long_cable(here: Ground, delay: float) -> None:
    sides = here.sides
    command = [sys.executable, "-m", "loadtest.bench.link"]
    command += [sides.client.name, sides.server.name, str(delay)]
    cable = here.start(sides.server, command, "cable")
    assert cable.stdout is not None
    if cable.stdout.readline() != "ready\n":
        raise RuntimeError(f"no cable: {here.complaints()}")
    for side in (sides.client, sides.server):
        side.raise_link(DEVICE)


def bound_buffers(here: Ground, scripts: int) -> None:
    """Leave each of so many streams its share of the memory that the kernel has for TCP.

    Server, proxy and scripts stand on one kernel here. With the system's own limits the buffers of
    200 streams take gigabytes, and then packets are dropped until some stand still for 30 s.
    """
    most = min(DEFAULT_BUFFER, BUFFERS // (4 * scripts))  # a stream has four of them
    for side in (here.sides.client, here.sides.server):
        side.setting("net.ipv4.tcp_rmem", f"4096 131072 {most}")
        side.setting("net.ipv4.tcp_wmem", f"4096 16384 {most}")


def certificate(here: Ground, bits: int) -> Path:
    """Make one that vouches for itself; its key, of so many bits, lies in the same file."""
    path = here.folder / "certificate.pem"
    key = here.folder.parent / f"{bits}.key"
    if not key.exists():  # a long one takes seconds to find
        _openssl("genrsa", "-out", key, bits)
    name = f"subjectAltName=IP:{here.sides.server.address}"
    _openssl(
        "req", "-x509", "-key", key, "-days", 2, "-subj", "/CN=lab", "-addext", name, "-out", path
    )
    path.write_text(key.read_text() + path.read_text())
    path.chmod(0o600)
    return path


def _openssl(*words: object) -> None:
    subprocess.run([program("openssl"), *map(str, words)], capture_output=True, check=True)


def vsftpd(here: Ground, sessions: int, shown: Path | None) -> list[str]:
    """Return the command of the server, which allows one address so many sessions; 0: any.

    With a certificate to be shown it demands TLS of everybody, and its sessions resumed for data.
    """
    empty = here.folder / "empty"
    empty.mkdir()
    settings = {
        "listen": "YES",
        "listen_address": here.sides.server.address,
        "listen_port": FTP,
        "background": "NO",
        "anonymous_enable": "YES",
        "ftp_username": somebody_at_home(),
        "anon_root": here.root,
        "anon_upload_enable": "YES",
        "anon_other_write_enable": "YES",  # uploads may overwrite
        "anon_umask": "022",
        "write_enable": "YES",
        "secure_chroot_dir": empty,
        "pasv_min_port": PASSIVE[0],
        "pasv_max_port": PASSIVE[1],
        "max_per_ip": sessions,
        "max_clients": 0,
        "xferlog_enable": "NO",
        # Its list of allowed system calls is older than today's kernels.
        "seccomp_sandbox": "NO",
        "isolate": "NO",
        "isolate_network": "NO",
    }
    if shown is not None:
        settings |= {
            "ssl_enable": "YES",
            "allow_anon_ssl": "YES",
            "force_anon_logins_ssl": "YES",
            "force_anon_data_ssl": "YES",
            "rsa_cert_file": shown,
            "ssl_ciphers": "HIGH",
        }
    config = here.folder / "vsftpd.conf"
    config.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    return ["vsftpd", str(config)]
