"""Build a Dockerfile and run the image, with Linux namespaces instead of a container engine.

The base image is this machine, copy on write: each stage is an overlay over `/` in memory, in a
mount namespace of its own, so nothing here is changed and everything vanishes with the build.
The checkout is hidden from the stages. FROM's name is not looked at: no image is fetched.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

from .dockerfile import Instruction, NotUnderstoodError, copy_context, instructions

BASE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

STAND_UP = """
mkdir -p "$1/upper" "$1/work" "$1/whole" && chmod 755 "$1/upper" &&
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/whole" &&
mount --rbind /dev "$1/whole/dev" &&
mkdir -p "$1/whole/$2" && mount -t tmpfs hidden "$1/whole/$2"
"""

# For a run: the root read-only, each volume writable with the owner that the image gave it.
SHUT = """
root=$1; volumes=$2; shift 2
ip link set lo up
for volume in $volumes; do
  owner=$(stat -c %u:%g "$root$volume")
  mount -t tmpfs volume "$root$volume" && chown "$owner" "$root$volume"
done
mount -t proc proc "$root/proc" && mount -o remount,bind,ro "$root" && exec "$@"
"""
OPEN = 'root=$1; shift; mount -t proc proc "$root/proc" && exec "$@"'


@dataclass(slots=True)
class Stage:
    """One stage: its file system, and what the instructions have said about running it."""

    root: str  # as seen inside the build's mount namespace
    env: dict[str, str] = field(default_factory=lambda: {"PATH": BASE_PATH})
    labels: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = "0:0"
    exposed: list[str] = field(default_factory=list)
    volumes: list[str] = field(default_factory=list)
    stop_signal: signal.Signals = signal.SIGTERM
    healthcheck: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    def chroot(self, argv: list[str], env: dict[str, str] | None = None) -> list[str]:
        """Wrap a command so that it runs in this stage as its user, in its folder."""
        variables = [f"{name}={value}" for name, value in {**(env or {}), **self.env}.items()]
        groups = self.user.partition(":")[2]
        return [
            *("chroot", f"--userspec={self.user}", f"--groups={groups}", self.root),
            *("env", "-i", f"--chdir={self.workdir}", *variables, *argv),
        ]


class Build:
    """Every step of one Dockerfile, carried out in order; `image` is the last stage."""

    def __init__(self, checkout: Path, scratch: Path) -> None:
        self.checkout = checkout
        self.context = scratch / "context"
        self.stages: dict[str, Stage] = {}
        self.steps = 0
        self._scratch = scratch / "stages"
        self._deeds: dict[str, Callable[[Instruction], None]] = {
            "RUN": self._run,
            "COPY": self._copy,
            "WORKDIR": self._workdir,
            "ENV": self._env,
            "LABEL": lambda step: self.image.labels.update(step.pairs()),
            "USER": self._user,
            "EXPOSE": lambda step: self.image.exposed.extend(step.words()),
            "VOLUME": lambda step: self.image.volumes.extend(step.words()),
            "STOPSIGNAL": self._stop_signal,
            "HEALTHCHECK": self._healthcheck,
            "ENTRYPOINT": lambda step: self.image.entrypoint.extend(step.argv()),
            "CMD": lambda step: self.image.command.extend(step.argv()),
        }

    def __enter__(self) -> Self:
        self._scratch.mkdir(parents=True)
        # The namespace lives as long as this process, which ends when its input does.
        self._keeper = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs b "$0" && echo up && exec cat']
            + [str(self._scratch)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._keeper.stdout
        assert self._keeper.stdout.readline() == b"up\n"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._keeper.communicate()

    @property
    def image(self) -> Stage:
        """The stage that is being built; after the last step, the image."""
        return list(self.stages.values())[-1]

    def carry_out(self, dockerfile: str) -> None:
        """Do each instruction; one that is not known here raises instead of being skipped."""
        copy_context(self.checkout, self.context)
        for step in instructions(dockerfile):
            if step.name == "FROM":
                self._from(step)
            elif step.name in self._deeds:
                self._deeds[step.name](step)
            else:
                raise NotUnderstoodError(f"{step.name} {step.rest}")
            self.steps += 1

    def path(self, inside: str) -> Path:
        """Tell where a file of the image can be reached from outside the namespace."""
        return Path(f"/proc/{self._keeper.pid}/root{self.image.root}{inside}")

    def namespaced(self, argv: list[str]) -> list[str]:
        """Wrap a command so that it sees the build's mounts."""
        return ["nsenter", f"--mount=/proc/{self._keeper.pid}/ns/mnt", *argv]

    def sealed(self, script: str, arguments: list[str], *more: str) -> list[str]:
        """Wrap a command in a process tree (and more) of its own, where it is process 1."""
        own = ["unshare", "--mount", "--pid", "--fork", *more]
        return self.namespaced([*own, "sh", "-ec", script, "sh", *arguments])

    def _from(self, step: Instruction) -> None:
        _base, *name = step.words()
        if name and (len(name) != 2 or name[0] != "AS"):
            raise NotUnderstoodError(step.rest)
        folder = self._scratch / str(len(self.stages))
        self._do(["sh", "-ec", STAND_UP, "sh", str(folder), str(self.checkout)])
        self.stages[name[1] if name else str(len(self.stages))] = Stage(f"{folder}/whole")

    def _run(self, step: Instruction) -> None:
        inside = self.image.chroot(["sh", "-c", step.rest], _way_to_packages())
        self._check(self.sealed(OPEN, [self.image.root, *inside]))

    def _copy(self, step: Instruction) -> None:
        *sources, target = step.words()
        source_root = str(self.context)
        if "from" in step.flags:
            source_root = self.stages[step.flags["from"]].root
        place = self.image.root + str(PurePosixPath(self.image.workdir) / target)
        for source in sources:
            origin = f"{source_root}/{source}"
            folder = (
                'mkdir -p "$2" && cp -a --no-preserve=ownership "$1/." "$2/"'
                if source.endswith("/") or "from" in step.flags
                else 'mkdir -p "$2" && cp --no-preserve=ownership "$1" "$2/"'
            )
            self._do(["sh", "-ec", folder, "sh", origin, place])

    def _workdir(self, step: Instruction) -> None:
        self.image.workdir = str(PurePosixPath(self.image.workdir) / step.rest)
        self._do(["mkdir", "-p", self.image.root + self.image.workdir])

    def _env(self, step: Instruction) -> None:
        for name, value in step.pairs().items():
            self.image.env[name] = value.replace("$PATH", self.image.env["PATH"])

    def _user(self, step: Instruction) -> None:
        user, _, group = step.rest.partition(":")
        if not user.isdigit() or not group.isdigit():
            raise NotUnderstoodError(f"USER {step.rest}: numbers only")
        self.image.user = step.rest

    def _stop_signal(self, step: Instruction) -> None:
        self.image.stop_signal = signal.Signals[step.rest]

    def _healthcheck(self, step: Instruction) -> None:
        if not step.rest.startswith("CMD "):
            raise NotUnderstoodError(f"HEALTHCHECK {step.rest}")
        self.image.healthcheck = Instruction("CMD", step.rest.removeprefix("CMD ")).argv()

    def _do(self, argv: list[str]) -> None:
        self._check(self.namespaced(argv))

    def _check(self, argv: list[str]) -> None:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{argv}\n{done.stdout}\n{done.stderr}"


class Container:
    """One run of an image: process 1 of its own tree, alone on its own loopback."""

    def __init__(self, build: Build, *command: str, entrypoint: list[str] | None = None) -> None:
        image = build.image
        self._build = build
        inside = image.chroot(entrypoint or [*image.entrypoint, *(command or image.command)])
        start = [image.root, " ".join(image.volumes), *inside]
        self.process = subprocess.Popen(
            build.sealed(SHUT, start, "--net"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def first_process(self) -> int:
        """The process id that process 1 of the container has outside of it."""
        pid = self.process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()[0])

    def wait_for(self, word: str) -> str:
        """Read its output up to the first line with the word; it must not end before."""
        assert self.process.stdout
        told = ""
        for line in self.process.stdout:
            told += line
            if word in line:
                return line
        raise AssertionError(f"ended with {self.process.wait()}:\n{told}")

    def check_health(self) -> subprocess.CompletedProcess[str]:
        """Run the HEALTHCHECK beside process 1, as an engine does; exit code 0 is healthy."""
        image = self._build.image
        enter = ["nsenter", f"--target={self.first_process}", "--mount", "--net", "--pid"]
        probe = [*enter, *image.chroot(image.healthcheck)]
        return subprocess.run(probe, capture_output=True, text=True, check=False)

    def stop(self) -> int:
        """Send the STOPSIGNAL to process 1; tell the exit code."""
        os.kill(self.first_process, self._build.image.stop_signal)
        return self.wait()

    def wait(self) -> int:
        """Read the rest of its output; tell the exit code."""
        assert self.process.stdout
        if not self.process.stdout.closed:
            self.process.stdout.read()
            self.process.stdout.close()
        return self.process.wait()

    def end(self) -> None:
        """Leave nothing behind, whatever happened."""
        if self.process.poll() is None:
            # With process 1 its whole tree ends. (--kill-child is lost when the user changes.)
            os.kill(self.first_process, signal.SIGKILL)
        self.wait()


def _way_to_packages() -> dict[str, str]:
    """Pass on how this machine reaches a package index, as an engine's build arguments do."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith("PIP_")
        or name == "SSL_CERT_FILE"
        or name.lower() in {"http_proxy", "https_proxy", "no_proxy"}
    } | {"HOME": "/root"}
