"""Read a Dockerfile and a .dockerignore. Runs nothing; what it does not understand is an error."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

KNOWN_FLAGS = {
    "COPY": {"from"},
    "HEALTHCHECK": {"interval", "timeout", "start-period", "retries"},
}


class NotUnderstoodError(Exception):
    """A line that this reader would otherwise have to ignore."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: its name, its --flags, and what follows them."""

    name: str
    rest: str
    flags: dict[str, str] = field(default_factory=dict)

    def words(self) -> list[str]:
        """Split plain arguments; quotes belong to ENV and LABEL only, which use `pairs`."""
        return self.rest.split()

    def pairs(self) -> dict[str, str]:
        """Read NAME=value pairs, quoted or not."""
        found = re.findall(r'(\S+?)=("[^"]*"|\S*)(?:\s+|$)', self.rest)
        if not found or re.sub(r'\S+?=("[^"]*"|\S*)(\s+|$)', "", self.rest):
            raise NotUnderstoodError(f"{self.name} {self.rest}")
        return {name: value.strip('"') for name, value in found}

    def argv(self) -> list[str]:
        """Read an exec form: a shell between engine and proxy would swallow the stop signal."""
        try:
            argv = json.loads(self.rest)
        except json.JSONDecodeError as error:
            raise NotUnderstoodError(f"{self.name} is not in exec form: {self.rest}") from error
        return [str(word) for word in argv]


def instructions(text: str) -> Iterator[Instruction]:
    """Read a whole Dockerfile, joining continued lines."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n", "", "\n".join(lines)).splitlines():
        if line.strip():
            yield _instruction(line)


def _instruction(line: str) -> Instruction:
    name, _, rest = line.strip().partition(" ")
    flags: dict[str, str] = {}
    while flag := re.match(r"\s*--([a-z-]+)=(\S+)\s+", rest):
        flags[flag[1]] = flag[2]
        rest = rest[flag.end() :]
    unknown = set(flags) - KNOWN_FLAGS.get(name, set())
    if unknown or rest.lstrip().startswith("--") or "<<" in rest:
        raise NotUnderstoodError(line)
    return Instruction(name, rest.strip(), flags)


def copy_context(source: Path, target: Path) -> None:
    """Copy what the .dockerignore lets through, as an engine sends it to its builder."""
    rules = [
        line.strip()
        for line in (source / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    ]

    def left_out(folder: str, names: list[str]) -> list[str]:
        inside = Path(folder).relative_to(source)
        return [name for name in names if _ignored((inside / name).as_posix(), rules)]

    shutil.copytree(source, target, ignore=left_out)


def _ignored(path: str, rules: list[str]) -> bool:
    """Let the last rule that matches the path, or a folder above it, decide."""
    above = [path, *(parent.as_posix() for parent in Path(path).parents)][:-1]
    verdict = False
    for rule in rules:
        pattern = rule.removeprefix("!").rstrip("/")
        if any(_matches(each, pattern) for each in above):
            verdict = not rule.startswith("!")
    return verdict


def _matches(path: str, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatchcase(path.rpartition("/")[2], pattern.removeprefix("**/"))
    # An asterisk does not cross a slash.
    return path.count("/") == pattern.count("/") and fnmatchcase(path, pattern)
